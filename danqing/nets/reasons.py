"""What explanations of what looks at pictures share: what they are of, and whether they show what was learned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.box import Rectangle
from danqing.core.fields.point import Place
from danqing.core.learned.classes import class_names, class_number
from danqing.core.learned.finder import Finder, Parser
from danqing.core.learned.model import Recogniser, Viewer
from danqing.core.learned.weights import fitting
from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Corners
from danqing.maths.boxes import overlaps
from danqing.maths.fitting import unfit
from danqing.maths.heat import rank_correlation
from danqing.maths.selection import box_in, point_in
from danqing.nets.detection import unsized
from danqing.nets.layers import randomised

PIXELS = 2**22  # of all copies of a picture that a model looks at together: a photograph of 12 megapixels comes alone
ALIKE = 0.3  # rank correlation from which a map says more of the picture than of what was learned
NEAREST = 0.4  # of the largest overlap with a box that is asked for: what overlaps so far may be meant as well
FRAME = 1 / 300  # of the longer side: how thick it is
HERE = 0.5  # chance from which on a pixel belongs to a class


class Aim(NamedTuple):
    """What is explained: the score of a class, of a whole picture or of some places of it.

    Attributes:
        number: of the class, or of the point among classes and points.
        rows: the places, of what finds things; None: the whole picture.
        box: what they speak of, in the picture's pixels; None: all of it.
        told: what rows of figures say of it.
    """

    number: int
    rows: Tensor | None = None
    box: Corners | None = None
    told: dict[str, Any] = {}  # noqa: RUF012  # of a tuple, never changed

    def score(self, model: Viewer, x: Images) -> Tensor:
        """How strongly a model says it of pictures (B, C, H, W), (B,): a class's logit, or the places' mean odds."""
        if self.rows is None:
            return fitting(model, Recogniser).logits(x)[:, self.number]
        return fitting(model, Finder).places(x).odds[:, self.rows, self.number].mean(1)


def aimed(model: Viewer, x: Images, label: str | None, point: Place | None = None, box: Rectangle | None = None) -> Aim:
    """What a person asks about in one picture (1, C, H, W).

    Of a classifier: the class named, or the likeliest. Of what finds things: the surest of its places, of the class or
    point named, that speaks of what lies at a point, or of a box; of a segmenter without a point, all pixels of the
    class.

    Raises:
        ParameterError: for what the model or the picture does not have.
    """
    if not isinstance(model, Finder):
        return _of_class(fitting(model, Recogniser), x, label, point or box)
    spot = None if point is None else point_in(x, point)
    part = None if box is None else box_in(x, box)
    with torch.no_grad():
        odds, boxes = (each.reshape(-1, each.shape[-1]) for each in model.places(x))
    names = list(model.asked_names)
    if label is None:  # what points there are is told where one is pointed at
        columns = list(range(len(names) if point is not None else len(model.names)))
    else:
        columns = [class_number(model, label, names)]
    chances = odds[:, columns].sigmoid()
    near = _nearness(boxes, spot, part) * chances.any(1)
    row, column = divmod(int((chances * near[:, None] + near[:, None].sign()).argmax()), len(columns))
    rows = torch.tensor([row])
    if isinstance(model, Parser) and point is None:
        found = ((near > 0) & (chances[:, column] > HERE)).nonzero().flatten()
        rows = found if len(found) else rows
    corners = boxes[rows]
    whole: Corners = (*corners[:, :2].amin(0).tolist(), *corners[:, 2:].amax(0).tolist())
    name, chance = names[columns[column]], float(chances[rows, column].mean())
    told = {"label": name, "probability": chance, "box": [round(each, 2) for each in whole]}
    return Aim(columns[column], rows, whole, told)


def _of_class(model: Recogniser, x: Images, label: str | None, place: object) -> Aim:
    if place is not None:
        what = f"a {model.family} speaks of the whole picture, not of a place in it"
        raise ParameterError(what, where="point or box", remedy="Leave it out, or give a detector or segmenter")
    with torch.no_grad():
        chances = model.predict(x)[0]
    number = int(chances.argmax()) if label is None else class_number(model, label)
    return Aim(number, told={"label": class_names(model)[number], "probability": float(chances[number])})


def _nearness(boxes: Tensor, spot: tuple[int, int] | None, box: Rectangle | None) -> Tensor:
    """How near boxes (N, 4) are to a box, 0…1, of those that hold a pixel's middle, or are nearest to it."""
    near = boxes.new_ones(len(boxes))
    if spot is not None:
        place = boxes.new_tensor([spot[1] + 0.5, spot[0] + 0.5])
        out = (boxes[:, :2] - place).clamp(min=0) + (place - boxes[:, 2:]).clamp(min=0)
        far = out.sum(1)
        near = near * (far <= far.min())
    if box is not None:
        whole = boxes.new_tensor([[box.left, box.top, box.left + box.width, box.top + box.height]])
        share = overlaps(boxes, whole)[:, 0]
        near = near * share * (share >= NEAREST * share.max())
    return near


def laid_on_picture(model: Viewer, maps: Tensor, x: Images) -> Tensor:
    """Maps (B, C, h, w) of what a model saw of pictures, as large as these."""
    height, width = x.shape[2:]
    if isinstance(model, Finder):
        return unsized(maps, int(model.config["size"]), height, width)
    return unfit(maps, height, width)


def with_aim(drawn: Images, aim: Aim) -> Images:
    """A map over a picture with a white frame around what it explains; what is inside stays to be seen."""
    if aim.box is None:
        return drawn
    height, width = drawn.shape[2:]
    thick = max(1, round(max(height, width) * FRAME))
    left, top, right, bottom = (round(each) for each in aim.box)
    outer = slice(max(top - thick, 0), bottom + thick), slice(max(left - thick, 0), right + thick)
    inner = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    framed = drawn.clone()
    framed[..., outer[0], outer[1]] = 1
    framed[..., inner[0], inner[1]] = drawn[..., inner[0], inner[1]]
    return framed


def at_once(x: Images, most: int) -> int:
    """How many copies of a picture (1, C, H, W) a model looks at together: ``most``, or fewer of large ones."""
    return max(1, min(most, PIXELS // (x.shape[2] * x.shape[3])))


def check_learned(explain: Callable[[Viewer], Tensor], model: Viewer, found: Tensor) -> float:
    """Explain a model of random weights, too, and say so where the map is much the same.

    Args:
        explain: makes the map of a model.
        model: the model explained.
        found: its map.

    Returns:
        the rank correlation of both maps.

    Source: Adebayo et al. 2018, arXiv:1810.03292.
    """
    alike = rank_correlation(found, explain(fitting(randomised(model), Viewer)))
    if alike >= ALIKE:
        note(
            f"a model of random weights gives nearly the same map (rank correlation {alike:.2f}): it shows the picture"
            " rather than what was learned"
        )
    return alike


__all__ = ["ALIKE", "PIXELS", "Aim", "aimed", "at_once", "check_learned", "laid_on_picture", "with_aim"]

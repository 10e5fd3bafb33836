"""Which pixels a score of what recognises or finds things comes from, to the last share of it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.box import Box, Rectangle
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.point import Place, Point
from danqing.core.learned.model import Viewer
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.heat import heated, to_unit
from danqing.maths.opacity import opacity_of
from danqing.maths.pyramid import resized
from danqing.maths.style_choice import reduced
from danqing.nets.reasons import Aim, aimed, at_once, check_learned, with_aim

COMPLETE = 0.02  # of the score's change; what the sum of a map may miss
MOST = 2048  # steps
LARGEST = 2**18  # pixels of a picture that is faded in hundreds of times
CHUNK = 16  # of them at once, at most
LEVELS = {"black": 0.0, "grey": 0.5, "white": 1.0}


class Reasons(NamedTuple):
    """A map (1, C, H, W) whose sum is the change of the score, but for ``gap`` of it, in so many steps."""

    found: Tensor
    change: float
    gap: float
    steps: int


@operator
def integrated_gradients(
    x: Images,
    weights: Viewer,
    label: Label | None = None,
    point: Point | None = None,
    box: Box | None = None,
    ground: Literal["black", "grey", "white"] = "black",
    steps: Annotated[int, Range(4, MOST)] = 32,
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Show which pixels a recogniser's score for a class, a thing, a pixel or a point comes from.

    The picture fades in from an even ground, and each pixel is credited with what it adds to the score on the way. The
    credits sum to the score's change: steps are doubled until they do within 2 %. Orange speaks for the class, blue
    against it.

    Args:
        x: pictures of any size, looked at in a quarter of a megapixel at most; a classifier sees the middle square.
        weights: a trained classifier, detector, segmenter or keypoints: a run folder, a .safetensors file, or digits.
        label: the class to explain, by name or number, or the name of a point; by default the likeliest, or the surest.
        point: of what finds things, a pixel: the thing, the mask's pixel or the point there is explained.
        box: of what finds things, a box: the thing whose own box is nearest to it is explained, or the pixels in it.
        ground: what stands for nothing to see; pixels of its colour get no credit.
        steps: in how many steps the picture fades in, at first.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture ``label``, its ``probability``, the ``box`` explained, the ``change`` of its score from the
        ground to the picture, the share ``gap`` of it that the map misses, the ``steps`` taken, and ``random``: the
        rank correlation with the map of a model of random weights, which should be below 0.3; and the map over the
        picture.

    Raises:
        ParameterError: for a class that the model does not know, or a place outside the picture.

    Source: Sundararajan et al. 2017, arXiv:1703.01365, equation 3, by the midpoint rule.

    Examples:
        danqing integrated_gradients photo.png --weights digits --out why.png
        danqing integrated_gradients photo.png --weights digits --label 8 --ground white --out why-8.png
        danqing integrated_gradients photo.png --weights runs/segmenter-001 --point 120,80 --out why-that-pixel.png
    """
    shown = laid_on(x, opacity_of(x, alpha))
    rows, drawn = [], []
    for at, whole in enumerate(shown.split(1)):
        picture = reduced(whole, LARGEST)
        aim = aimed(weights, whole, label, point, box)
        if picture is not whole:
            note(f"it was looked at in {picture.shape[3]} x {picture.shape[2]} px, since it is looked at so often")
            aim = _again(weights, whole, picture, aim, point, box)
        reasons, taken = None, steps
        while reasons is None or (reasons.gap > COMPLETE and taken * 2 <= MOST):
            taken = steps if reasons is None else taken * 2
            yield Progress(at, len(shown), f"fading in, {taken} steps")
            reasons = _reasons(weights, picture, aim, LEVELS[ground], taken)
        if reasons.gap > COMPLETE:
            note(f"the credits miss {reasons.gap:.0%} of the score's change, even in {reasons.steps} steps")
        again = partial(_map, x=picture, aim=aim, level=LEVELS[ground], steps=reasons.steps)
        found = reasons.found.sum(1, keepdim=True)
        facts = {"change": reasons.change, "gap": reasons.gap, "steps": reasons.steps}
        rows.append({**aim.told, **facts, "random": check_learned(again, weights, found)})
        heat = to_unit(found if picture is whole else resized(found, list(whole.shape[2:])))
        drawn.append(with_aim(heated(whole, heat), aim))
    return Figures(rows, torch.cat(drawn))


def _again(model: Viewer, whole: Images, picture: Images, aim: Aim, point: Place | None, box: Rectangle | None) -> Aim:
    """The same aim in a smaller picture, whose places may be others; its box stays that of the whole one."""
    label = str(aim.told["label"])
    across, down = (picture.shape[at] / whole.shape[at] for at in (3, 2))
    if box is None and aim.box is not None and point is None:
        point = int((aim.box[0] + aim.box[2]) / 2), int((aim.box[1] + aim.box[3]) / 2)
    small = None if point is None else (int(point[0] * across), int(point[1] * down))
    part = None
    if box is not None:
        left, top = int(box.left * across), int(box.top * down)
        part = Rectangle(left, top, max(1, int(box.width * across)), max(1, int(box.height * down)))
    return aimed(model, picture, label, small, part)._replace(box=aim.box, told=aim.told)


def _map(model: Viewer, x: Images, aim: Aim, level: float, steps: int) -> Tensor:
    return _reasons(model, x, aim, level, steps).found.sum(1, keepdim=True)


def _reasons(model: Viewer, x: Images, aim: Aim, level: float, steps: int) -> Reasons:
    ground = torch.full_like(x, level)
    shares = (torch.arange(steps, dtype=x.dtype, device=x.device) + 0.5) / steps
    slopes = torch.zeros_like(x)
    for part in shares.split(at_once(x, CHUNK)):
        seen = torch.lerp(ground, x, part.view(-1, 1, 1, 1)).requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(aim.score(model, seen).sum(), seen)
        slopes += slope.sum(0, keepdim=True)
    found = slopes / steps * (x - ground)
    with torch.no_grad():
        here, there = (float(aim.score(model, each)[0]) for each in (x, ground))
    change = here - there
    missed = abs(float(found.double().sum()) - change)
    return Reasons(found, change, missed / abs(change) if change else 0.0, steps)

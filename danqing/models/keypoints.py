"""The keypoints family: finds things and the named points of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned import finder
from danqing.core.learned.finder import Needs, Places
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Spot, Thing
from danqing.maths.fitting import in_channels
from danqing.maths.found_scores import correct_points, similarity
from danqing.maths.labelled import is_there
from danqing.nets.detection import chosen, sized
from danqing.nets.finding import (
    CELLS,
    Cells,
    assigned,
    boxes_at,
    cells_of,
    flat,
    gaussians,
    generalised_overlap,
    peaks,
    picked,
    quality_focal,
)
from danqing.nets.pyramid import STRIDES, Backbone, Pyramid, Trunk, pooled, seen_by, separable
from danqing.nets.viewing import check_classes, check_labelled, negated, pairs_of

STRIDE = STRIDES[0]
SHARP = 4.0  # px: width of the bell around a point
ROUND = 0.15  # and of that around the middle of a thing, as a share of its shorter side
UNIT = 32.0  # px in which the way from a thing to its points is told
RARE = 0.01  # chance of anything in a cell before anything was learned
SEEN = 0.1  # height of a bell from which on a point is taken as seen
ASTRAY = 0.35  # of a thing's longer side that a point may lie off its expected place
RIVALS = 200  # points of one name in a picture, at most


class Said(NamedTuple):
    """What the head says of all cells.

    Attributes:
        cells: where they are.
        things: logits (B, N, classes) of the middle of a thing being there.
        boxes: (B, N, 4), of the thing.
        points: logits (B, N, P) of a point of each name being there.
        ways: (B, N, P, 2) in pixels, from there to the thing's points.
    """

    cells: Cells
    things: Tensor
    boxes: Tensor
    points: Tensor
    ways: Tensor


class Keypoints(finder.Finder):
    """Learn to find things and named points on them, such as the tips of leaves or the eyes of cats.

    A point that a picture does not show is left out of its labels, and is then not told when it is not seen. It begins
    with a net that knows ImageNet; with ``--freeze trunk`` that stays as it is. With the augmentation flip, left and
    right in the names of points change places.

    Args:
        size: longer side of what it looks at, in px.
        channels: 1 (grey) or 3 (RGB).
        classes: how many classes of things are told apart.
        points: names of the points.
        backbone: EfficientNet-Lite0, or the first blocks of MobileNetV2, which are smaller and faster.
        width: channels of the map that all is read from.

    Source: X. Zhou et al., "Objects as points", 2019 (middles of things, and ways to their points); F. Zhang et al.,
    "Distribution-aware coordinate representation for human pose estimation", 2020 (between the cells).
    """

    output_names: ClassVar[tuple[str, ...]] = ("chances", "boxes", "heat", "points")
    outputs_mean: ClassVar[str] = (
        f"of cells of {STRIDE} px, row by row: chances (B, N, classes) that the middle of a thing is there, of which"
        " tops count alone, the thing's boxes (B, N, 4) as left, top, right, bottom and expected places of its points"
        " (B, N, points, 2) as x, y in px, and heat (B, N, points), whose top next to such a place is the point"
    )
    optimiser = Optimiser(lr=2e-3, betas=(0.9, 0.99), weight_decay=0.01)
    needs: Needs = "points"  # type: ignore[misc]  # of the class, as in its base

    def __init__(
        self,
        size: Annotated[int, Range(32, 1024, "px")],
        channels: Annotated[int, Range(1, 3)],
        classes: Annotated[int, Range(0, 10_000)],
        points: Sequence[str],
        backbone: Backbone = "lite0",
        width: Annotated[int, Range(16, 256)] = 64,
    ) -> None:
        super().__init__()
        check_classes(classes)
        if not points:
            raise ParameterError("there are no named points to find", where="points")
        self.points = tuple(points)
        self.trunk = Trunk(backbone)
        self.neck = Pyramid(self.trunk.channels, width, count=1)
        self.head = Head(width, classes, len(self.points))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield what is off in the heat of things and points, in boxes and in ways to points, per picture."""
        boxes, classes = check_labelled(batch)
        if batch.points is None:
            raise ParameterError("learns from pictures with named points; these have none", where="data")
        points = batch.points.unflatten(1, (-1, len(self.points)))
        yield "", self._loss(self._said(batch.x), boxes, classes, points)

    @property
    def asked_names(self) -> Sequence[str]:
        return [*self.names, *self.points]

    def features(self, x: Images) -> Tensor:
        return pooled(self.trunk, sized(in_channels(x, self.config["channels"]), self.config["size"], 0.0)[0])

    def places(self, x: Images) -> Places:
        """Of each cell twice: first of the thing whose middle it may be, then, as a square, of points."""
        seen, scale = sized(in_channels(x, self.config["channels"]), self.config["size"], 0.0)
        said = self._said(seen)
        things = F.pad(said.things, (0, len(self.points)), value=-math.inf)
        points = F.pad(said.points, (said.things.shape[2], 0), value=-math.inf)
        middle, half = said.cells.middle.expand(len(x), -1, -1), STRIDE / 2
        boxes = torch.cat([said.boxes.detach(), torch.cat([middle - half, middle + half], 2)], 1)
        return Places(torch.cat([things, points], 1), boxes / scale)

    def outputs(self, x: Images) -> tuple[Tensor, ...]:
        said = self._said(x)
        places = said.ways + said.cells.middle[:, None]
        return said.things.sigmoid(), said.boxes, said.points.sigmoid(), places

    @torch.no_grad()
    def find(self, x: Images, threshold: float, count: int = 100, side: int | None = None) -> list[Found]:
        seen, scale = sized(in_channels(x, self.config["channels"]), side or self.config["size"], 0.0)
        said = self._said(seen)
        grid = tuple(each // STRIDE for each in seen.shape[-2:])
        return [
            self._found(
                Said(said.cells, *(each[at] for each in said[1:])),
                grid,
                scale,
                (x.shape[3], x.shape[2]),
                threshold,
                count,
            )
            for at in range(len(x))
        ]

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """Return ``-PCK`` with its 95 % interval and ``-OKS``, negated."""
        pairs = pairs_of(self, batch, points=self.points)
        return {**negated("PCK", correct_points, pairs), **negated("OKS", similarity, pairs, plain=True)}

    def _said(self, x: Images) -> Said:
        finest = self.neck(seen_by(self.trunk, x, self.training))
        things, sides, points, ways = ([each] for each in self.head(finest[0]))
        cells = cells_of(finest, STRIDES[:1])
        told = flat(ways).unflatten(2, (len(self.points), 2)) * UNIT
        return Said(cells, flat(things), boxes_at(cells, F.softplus(flat(sides)) * 4), flat(points), told)

    def _loss(self, said: Said, boxes: Tensor, classes: Tensor, points: Tensor) -> Tensor:
        """Sums over cells, as many as a thing has, and means over pictures."""
        finds, which = assigned(said.cells, boxes, classes)
        safe = boxes.nan_to_num(0.0)
        heat = quality_focal(said.things, self._heat_of_things(said, boxes, classes)).sum()
        heat = heat + quality_focal(said.points, self._heat_of_points(said, points)).sum()
        generalised = generalised_overlap(said.boxes[finds], picked(safe, which)[finds])[1]
        middle = said.cells.middle[None].expand(len(boxes), -1, -1)[finds]
        wanted = picked(points, which)[finds] - middle[:, None]
        known = wanted.isfinite()
        astray = F.smooth_l1_loss(said.ways[finds][known] / UNIT, wanted[known] / UNIT, reduction="sum", beta=0.1)
        return (heat + (1 - generalised).sum() + astray) / (CELLS * len(boxes))

    def _heat_of_things(self, said: Said, boxes: Tensor, classes: Tensor) -> Tensor:
        """How near cells (B, N, classes) are to the middle of a thing of each class."""
        there = is_there(boxes, classes)
        middle = ((boxes[..., :2] + boxes[..., 2:]) / 2).masked_fill(~there[..., None], torch.nan)
        shorter = (boxes[..., 2:] - boxes[..., :2]).amin(-1).nan_to_num(0.0)
        near = gaussians(said.cells, middle, (ROUND * shorter).clamp(min=STRIDE))  # (B, N, M)
        target = torch.zeros_like(said.things)
        places = classes.clamp(min=0)[:, None].expand(-1, near.shape[1], -1)
        return target.scatter_reduce(2, places, near.to(target), "amax")

    def _heat_of_points(self, said: Said, points: Tensor) -> Tensor:
        """How near cells (B, N, P) are to a point of each name."""
        widths = points.new_full(points.shape[:2], SHARP)
        each = [gaussians(said.cells, points[:, :, at], widths).amax(2) for at in range(points.shape[2])]
        return torch.stack(each, 2).to(said.points)

    def _found(
        self, said: Said, grid: Sequence[int], scale: float, size: tuple[int, int], threshold: float, count: int
    ) -> Found:
        """The things of one picture, each with the tops of heat nearest to where its points are expected."""
        heat = said.things.sigmoid()
        tops = heat == F.max_pool2d(heat.T.unflatten(1, tuple(grid)), 3, 1, 1).flatten(1).T
        found = chosen(heat * tops, said.boxes / scale, self.names, size, threshold, count)
        spots = [peaks(each.unflatten(0, tuple(grid)), SEEN, RIVALS) for each in said.points.T.sigmoid()]
        places = [(place * STRIDE / scale, height) for place, height in spots]
        things = (self._with_points(thing, said, scale, places) for thing in found.things)
        return found._replace(things=tuple(things))

    def _with_points(self, thing: Thing, said: Said, scale: float, places: list[tuple[Tensor, Tensor]]) -> Thing:
        box = said.cells.middle.new_tensor(thing.box)
        middle = (box[:2] + box[2:]) / 2
        cell = int((said.cells.middle / scale - middle).square().sum(1).argmin())
        reach = ASTRAY * float((box[2:] - box[:2]).max()) + STRIDE / scale
        spots = []
        for name, way, (place, height) in zip(self.points, said.ways[cell], places, strict=True):
            gap = (place - (said.cells.middle[cell] + way) / scale).square().sum(1).sqrt()
            if len(gap) and float(gap.min()) <= reach:
                best = int(gap.argmin())
                across, down = place[best].tolist()
                spots.append(Spot(name, across, down, min(float(height[best]), 1.0)))
        return thing._replace(points=tuple(spots))


class Head(nn.Module):
    """Two convolutions; then logits of things, sides of boxes, logits of points, and ways to points."""

    def __init__(self, width: int, classes: int, points: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(separable(width, width), separable(width, width))
        self.says = nn.ModuleList(nn.Conv2d(width, each, 1) for each in (classes, 4, points, 2 * points))
        for at in (0, 2):
            says = self.says[at]
            assert isinstance(says, nn.Conv2d)
            nn.init.normal_(says.weight, std=0.01)
            says.bias = nn.Parameter(torch.full((says.out_channels,), math.log(RARE / (1 - RARE))))

    def forward(self, x: Tensor) -> list[Tensor]:
        """The four maps, (B, ..., h, w)."""
        shared = self.shared(x)
        return [says(shared) for says in self.says]


__all__ = ["Keypoints"]

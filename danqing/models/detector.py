"""The detector family: finds things of one's own classes, each in a box."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.fields.number import Range
from danqing.core.learned import finder
from danqing.core.learned.finder import Places
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found
from danqing.maths.fitting import in_channels
from danqing.nets.detection import chosen, sized
from danqing.nets.finding import (
    CELLS,
    Cells,
    assigned,
    boxes_at,
    cells_of,
    flat,
    generalised_overlap,
    picked,
    quality_focal,
)
from danqing.nets.pyramid import STRIDES, Backbone, Pyramid, Trunk, pooled, seen_by, separable
from danqing.nets.viewing import box_scores, check_classes, check_labelled

RARE = 0.01  # chance of a thing in a cell before anything was learned
FAR = 1.8  # makes sides two cells away before anything was learned


class Said(NamedTuple):
    """What the head says of all cells: where these are, logits of the classes (B, N, classes), and boxes (B, N, 4)."""

    cells: Cells
    logits: Tensor
    boxes: Tensor


class Detector(finder.Finder):
    """Learn to find things of one's own classes in pictures, each in a box.

    It begins with a net that knows ImageNet, so that some dozens of labelled pictures suffice; with ``--freeze trunk``
    that net stays as it is and only the rest learns, twice as fast. Things smaller than 8 px in what it looks at are
    missed: give a larger --size then. Pictures without things teach it what is none.

    Args:
        size: longer side of what it looks at, in px.
        channels: 1 (grey) or 3 (RGB).
        classes: how many are told apart.
        backbone: EfficientNet-Lite0, or the first blocks of MobileNetV2, which are smaller and faster.
        width: channels of the maps that boxes are read from.

    Source: Z. Tian et al., "FCOS: fully convolutional one-stage object detection", 2019 (cells and distances);
    X. Li et al., "Generalized focal loss", 2020 (chances that say how well a box fits).
    """

    optimiser = Optimiser(lr=2e-3, betas=(0.9, 0.99), weight_decay=0.01)
    augment: ClassVar[str] = "crop=0.4,jitter=0.3"  # around what is turned or sheared, boxes would be too wide

    def __init__(
        self,
        size: Annotated[int, Range(32, 1024, "px")],
        channels: Annotated[int, Range(1, 3)],
        classes: Annotated[int, Range(0, 10_000)],
        backbone: Backbone = "lite0",
        width: Annotated[int, Range(16, 256)] = 64,
    ) -> None:
        super().__init__()
        check_classes(classes)
        self.trunk = Trunk(backbone)
        self.neck = Pyramid(self.trunk.channels, width, first=1)
        self.head = Head(width, classes)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the quality focal loss of the classes and the GIoU loss of the boxes, per picture."""
        boxes, classes = check_labelled(batch)
        yield "", self._loss(self._said(batch.x), boxes, classes)

    def features(self, x: Images) -> Tensor:
        return pooled(self.trunk, sized(in_channels(x, self.config["channels"]), self.config["size"], 0.0)[0])

    def places(self, x: Images) -> Places:
        seen, scale = sized(in_channels(x, self.config["channels"]), self.config["size"], 0.0)
        said = self._said(seen)
        return Places(said.logits, said.boxes.detach() / scale)

    def outputs(self, x: Images) -> tuple[Tensor, ...]:
        said = self._said(x)
        return said.logits.sigmoid(), said.boxes

    @torch.no_grad()
    def find(self, x: Images, threshold: float, count: int = 100, side: int | None = None) -> list[Found]:
        seen, scale = sized(in_channels(x, self.config["channels"]), side or self.config["size"], 0.0)
        said = self._said(seen)
        size = x.shape[3], x.shape[2]
        each = zip(said.logits.sigmoid(), said.boxes / scale, strict=True)
        return [chosen(chances, boxes, self.names, size, threshold, count) for chances, boxes in each]

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """Return ``-mAP`` with its 95 % interval and ``-AP50``, all negated."""
        return box_scores(self, batch)

    def _said(self, x: Images) -> Said:
        maps = self.neck(seen_by(self.trunk, x, self.training))
        said = [self.head(each) for each in maps]
        cells = cells_of(maps, STRIDES[1:])
        distances = flat([each for _, each in said])
        return Said(cells, flat([each for each, _ in said]), boxes_at(cells, F.softplus(distances)))

    def _loss(self, said: Said, boxes: Tensor, classes: Tensor) -> Tensor:
        """Sums over cells, as many as a thing has, and means over pictures."""
        finds, which = assigned(said.cells, boxes, classes)
        overlap, generalised = generalised_overlap(said.boxes[finds], picked(boxes.nan_to_num(0.0), which)[finds])
        target = torch.zeros_like(said.logits)
        rows = torch.arange(len(boxes), device=boxes.device)[:, None].expand_as(which)[finds]
        places = torch.arange(which.shape[1], device=boxes.device).expand_as(which)[finds]
        target[rows, places, picked(classes, which)[finds]] = overlap.detach().to(target)
        total = quality_focal(said.logits, target).sum() + 2 * (1 - generalised).sum()
        return total / (CELLS * len(boxes))


class Head(nn.Module):
    """Two convolutions, shared by all levels; then the classes' logits, and the distances of the four sides."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        names, sides = nn.Conv2d(width, classes, 1), nn.Conv2d(width, 4, 1)
        nn.init.normal_(names.weight, std=0.01)
        names.bias = nn.Parameter(torch.full((classes,), math.log(RARE / (1 - RARE))))
        sides.bias = nn.Parameter(torch.full((4,), FAR))
        self.names = nn.Sequential(separable(width, width), separable(width, width), names)
        self.sides = nn.Sequential(separable(width, width), separable(width, width), sides)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, classes, h, w), and distances (B, 4, h, w) before they are made positive."""
        return self.names(x), self.sides(x)


__all__ = ["Detector"]

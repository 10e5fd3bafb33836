"""NanoDet-g: a small detector without anchors, of plain 3×3 convolutions that every processor is quick at."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from danqing.core.pictures.contract import Images

SIDE = 416  # px of the longer side of what it looks at
STRIDES = (8, 16, 32)
BINS = 11  # a distance is a mean over 0…10 strides, each with its probability
MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # of BGR on 0–255
SLOPE = 0.1  # of what is below 0
WIDTH = 128  # channels of neck and heads
STAGES = ((64, 2), (128, 2), (256, 3))  # width and residuals of each stage
COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip


class Level(NamedTuple):
    """What a head says of the cells of one level.

    Attributes:
        logits: of the classes (B, classes, h, w).
        bins: logits of the four distances (B, 4 × BINS, h, w): left, top, right, bottom.
    """

    logits: Tensor
    bins: Tensor


class NanoDet(nn.Module):
    """A cross-stage backbone, a path aggregation neck and one head a level.

    Args:
        classes: how many are told apart.

    Source: RangiLyu, NanoDet, 2020, its variant g; C.-Y. Wang et al., "CSPNet", 2020 (backbone); S. Liu et al., "Path
    aggregation network", 2018 (neck); X. Li et al., "Generalized focal loss", 2020 (heads).
    """

    def __init__(self, classes: int = len(COCO)) -> None:
        super().__init__()
        self.stem = _conv(3, 32, stride=2)
        self.first = _Residual(32, joined=False)
        self.stages = nn.ModuleList(_Stage(width, count) for width, count in STAGES)
        self.lateral = nn.ModuleList(nn.Conv2d(2 * width, WIDTH, 1) for width, _ in STAGES)
        self.heads = nn.ModuleList(_conv(WIDTH, WIDTH) for _ in STRIDES)
        self.says = nn.ModuleList(nn.Conv2d(WIDTH, classes + 4 * BINS, 1) for _ in STRIDES)
        self.classes = classes

    def forward(self, x: Images) -> list[Level]:
        """What the heads say, from fine to coarse, of pictures (B, 3, H, W) in [0, 1] with sides of whole 32 px."""
        maps = self.maps(x)
        said = (say(head(each)) for head, say, each in zip(self.heads, self.says, maps, strict=True))
        return [Level(*each.split([self.classes, 4 * BINS], 1)) for each in said]

    def maps(self, x: Images) -> list[Tensor]:
        """Features (B, 128, h, w) at an eighth, a 16th and a 32nd of the size."""
        mean, std = (x.new_tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
        x = functional.max_pool2d(self.stem((x.flip(1) * 255 - mean) / std), 3, 2, 1)
        x = self.first(x)
        found = []
        for stage, lateral in zip(self.stages, self.lateral, strict=True):
            x = stage(x)
            found.append(lateral(x))
        for at in (1, 0):
            found[at] = found[at] + _sized(found[at + 1], found[at])
        for at in (1, 2):
            found[at] = found[at] + _sized(found[at - 1], found[at])
        return found


class _Residual(nn.Module):
    """Two convolutions, the second of half the channels again, joined; then perhaps one over both."""

    def __init__(self, width: int, joined: bool) -> None:
        super().__init__()
        half = width // 2
        if not joined:
            self.enter, self.leave = _conv(width, width), _conv(width, width)
        self.one, self.two = _conv(width, half), _conv(half, half)
        self.joined = joined

    def forward(self, x: Tensor) -> Tensor:
        start = x if self.joined else self.enter(x)
        first = self.one(start)
        both = torch.cat([self.two(first), first], 1)
        return both if self.joined else torch.cat([self.leave(both), start], 1)


class _Stage(nn.Module):
    """Half the size, residuals, and what came in beside what went through them."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.down = _conv(width, width, stride=2)
        self.residuals = nn.Sequential(*(_Residual(width, joined=True) for _ in range(count)))
        self.leave = _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        return torch.cat([self.leave(self.residuals(x)), x], 1)


def _conv(width: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(width, out, 3, stride, 1), nn.LeakyReLU(SLOPE, inplace=True))


def _sized(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def centres(height: int, width: int, stride: int, like: Tensor) -> Tensor:
    """The middles (h × w, 2) of a level's cells, x and y in pixels."""
    y, x = torch.meshgrid(
        torch.arange(height, device=like.device), torch.arange(width, device=like.device), indexing="ij"
    )
    return ((torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride).to(like.dtype)


def decoded(levels: list[Level]) -> tuple[Tensor, Tensor]:
    """Probabilities (B, N, classes) and boxes (B, N, 4), left, top, right, bottom in pixels, of all cells."""
    chances, boxes = [], []
    for level, stride in zip(levels, STRIDES, strict=True):
        height, width = level.logits.shape[2:]
        chances.append(level.logits.flatten(2).mT.sigmoid())
        distances = expected(level.bins) * stride
        middle = centres(height, width, stride, distances)
        boxes.append(torch.cat([middle - distances[..., :2], middle + distances[..., 2:]], -1))
    return torch.cat(chances, 1), torch.cat(boxes, 1)


def expected(bins: Tensor) -> Tensor:
    """The distances (B, h × w, 4), in strides, that the logits of their bins mean."""
    shares = bins.flatten(2).mT.unflatten(2, (4, BINS)).softmax(-1)
    mean: Tensor = shares @ torch.arange(BINS, dtype=shares.dtype, device=shares.device)
    return mean


__all__ = ["BINS", "COCO", "SIDE", "STRIDES", "Level", "NanoDet", "centres", "decoded", "expected"]

"""A picture as a Laplacian pyramid: what each size adds to the one half as large, down to a few pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.maths.colour import luma

SMALLEST = 12  # px: the shorter side of the smallest level


def pyramid(x: Images) -> list[Tensor]:
    """The levels of pictures, finest first; all but the last hold differences.

    Source: P. Burt, E. Adelson, "The Laplacian pyramid as a compact image code", 1983.
    """
    levels = []
    while min(x.shape[2:]) >= 2 * SMALLEST:
        smaller = resized(x, [-(-side // 2) for side in x.shape[2:]])
        levels.append(x - enlarged(smaller, x.shape[2:]))
        x = smaller
    return [*levels, x]


def composed(levels: list[Tensor]) -> Images:
    """The pictures that the levels add up to; a level of one channel adds to brightness alone."""
    x = levels[-1]
    for level in reversed(levels[:-1]):
        x = enlarged(x, level.shape[2:]) + level
    return x


def with_calm_colours(levels: list[Tensor]) -> list[Tensor]:
    """The same, the finest level in brightness alone: colour has no detail of one pixel, only noise."""
    return levels if len(levels) == 1 else [luma(levels[0]), *levels[1:]]


def resized(x: Tensor, sides: list[int]) -> Tensor:
    """Pictures made smaller (or larger) without aliasing."""
    return functional.interpolate(x, sides, mode="bilinear", antialias=True, align_corners=False)


def enlarged(x: Tensor, sides: torch.Size) -> Tensor:
    """Pictures made larger."""
    return functional.interpolate(x, sides, mode="bilinear", align_corners=False)


__all__ = ["composed", "enlarged", "pyramid", "resized", "with_calm_colours"]

"""What cells of maps say of things: which cell is to say what, how far off it is, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from danqing.maths.boxes import areas
from danqing.maths.labelled import is_there

RADIUS = 1.5  # cells around the middle of a thing that are to find it
CELLS = 9  # that makes, about: what losses are counted in
FILLS = 5.0  # cells: the longest side of a thing that a level finds, but for the coarsest


class Cells(NamedTuple):
    """The cells of all levels, one after another.

    Attributes:
        middle: (N, 2), x and y in pixels.
        stride: (N,), the side of each in pixels.
    """

    middle: Tensor
    stride: Tensor


def cells_of(maps: Sequence[Tensor], strides: Sequence[int]) -> Cells:
    """The cells of maps (B, C, h, w), row by row."""
    middles, sizes = [], []
    for each, stride in zip(maps, strides, strict=True):
        height, width = each.shape[-2:]
        down, across = (torch.arange(side, device=each.device) + 0.5 for side in (height, width))
        y, x = torch.meshgrid(down, across, indexing="ij")
        middles.append(torch.stack([x, y], -1).reshape(-1, 2) * stride)
        sizes.append(middles[-1].new_full((height * width,), stride))
    return Cells(torch.cat(middles), torch.cat(sizes))


def flat(maps: Sequence[Tensor]) -> Tensor:
    """Maps (B, C, h, w) as (B, N, C), float32, in the order of their cells."""
    return torch.cat([each.flatten(2).mT for each in maps], 1).float()


def boxes_at(cells: Cells, distances: Tensor) -> Tensor:
    """Boxes (B, N, 4) from the distances (B, N, 4) of their sides from the cells, in strides."""
    reach = distances * cells.stride[:, None]
    return torch.cat([cells.middle - reach[..., :2], cells.middle + reach[..., 2:]], -1)


def assigned(cells: Cells, boxes: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Which thing each cell is to find: the smallest of those whose middle is near and whose size fits its level.

    Args:
        cells: of all levels, the strides of which are powers of two apart.
        boxes: (B, M, 4); rows that are no things are left out.
        classes: (B, M).

    Returns:
        Whether a cell finds anything (B, N), and which of the M things (B, N).

    Source: Z. Tian et al., "FCOS: fully convolutional one-stage object detection", 2019, with sampling near the middle.
    """
    there = is_there(boxes, classes)
    safe = boxes.nan_to_num(0.0)
    middle, longest = (safe[..., :2] + safe[..., 2:]) / 2, (safe[..., 2:] - safe[..., :2]).amax(-1)
    finest, coarsest = cells.stride.min(), cells.stride.max()
    level = torch.log2((longest / (FILLS * finest)).clamp(min=1e-6)).ceil().clamp(min=0)
    wanted = (finest * 2**level).minimum(coarsest)  # (B, M)
    place = cells.middle[None, :, None]  # (1, N, 1, 2)
    inside = ((place >= safe[:, None, :, :2]) & (place <= safe[:, None, :, 2:])).all(-1)
    near = ((place - middle[:, None]).abs() <= RADIUS * cells.stride[:, None, None]).all(-1)
    fits = cells.stride[:, None] == wanted[:, None]
    size = areas(safe)[:, None].expand_as(inside).masked_fill(~(inside & near & fits & there[:, None]), torch.inf)
    smallest, which = size.min(-1)
    return smallest.isfinite(), which


def picked(values: Tensor, which: Tensor) -> Tensor:
    """Of values (B, M, ...) those of the things (B, N) that cells are to find."""
    return values[torch.arange(len(values), device=values.device)[:, None], which]


def quality_focal(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy to shares in 0…1, weighed by how far off each is.

    Source: X. Li et al., "Generalized focal loss", 2020, equation 2, with β = 2.
    """
    off = (target - logits.sigmoid()).square()
    return off * functional.binary_cross_entropy_with_logits(logits, target, reduction="none")


def generalised_overlap(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union, and GIoU, of boxes (..., 4) in pairs.

    Source: H. Rezatofighi et al., "Generalized intersection over union", 2019, algorithm 1.
    """
    low, high = torch.minimum(one[..., :2], other[..., :2]), torch.maximum(one[..., 2:], other[..., 2:])
    start, end = torch.maximum(one[..., :2], other[..., :2]), torch.minimum(one[..., 2:], other[..., 2:])
    common = (end - start).clamp(min=0).prod(-1)
    union = (areas(one) + areas(other) - common).clamp(min=1e-6)
    hull = (high - low).prod(-1).clamp(min=1e-6)
    overlap = common / union
    return overlap, overlap - (hull - union) / hull


def gaussians(cells: Cells, places: Tensor, sigma: Tensor) -> Tensor:
    """How near cells (N) are to places (B, M, 2) in pixels, (B, N, M): 1 there, a bell around; 0 for NaN.

    Args:
        cells: of one level.
        places: x and y.
        sigma: (B, M), width of each bell in pixels.
    """
    gap = (cells.middle[None, :, None] - places.nan_to_num(-1e6)[:, None]).square().sum(-1)
    return (-gap / (2 * sigma[:, None].square())).exp()


def peaks(heat: Tensor, least: float, count: int) -> tuple[Tensor, Tensor]:
    """The tops of one heat map (h, w) in 0…1, the highest first: places (K, 2), x and y in cells, and heights (K,).

    Between cells a top is where the parabola through the logarithms of it and its neighbours has its own: of a bell,
    exactly its middle.

    Source: F. Zhang et al., "Distribution-aware coordinate representation for human pose estimation", 2020, section
    3.2, along each axis alone.
    """
    top = functional.max_pool2d(heat[None, None], 3, 1, 1)[0, 0] == heat
    rows, columns = (top & (heat >= least)).nonzero(as_tuple=True)
    heights = heat[rows, columns]
    best = heights.argsort(descending=True, stable=True)[:count]
    rows, columns, heights = rows[best], columns[best], heights[best]
    log = functional.pad(heat.clamp(min=1e-6).log()[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    shifts = []
    for down, across, at, last in ((0, 1, columns, heat.shape[1] - 1), (1, 0, rows, heat.shape[0] - 1)):
        before, here, after = (log[rows + 1 + step * down, columns + 1 + step * across] for step in (-1, 0, 1))
        bend = (before - 2 * here + after).clamp(max=-1e-6)
        inner = (at > 0) & (at < last)  # at a border nobody knows what lies beyond
        shifts.append(((before - after) / (2 * bend)).clamp(-0.5, 0.5) * inner)
    return torch.stack([columns + 0.5 + shifts[0], rows + 0.5 + shifts[1]], 1), heights


__all__ = [
    "CELLS",
    "Cells",
    "assigned",
    "boxes_at",
    "cells_of",
    "flat",
    "gaussians",
    "generalised_overlap",
    "peaks",
    "picked",
    "quality_focal",
]

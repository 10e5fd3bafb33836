"""Boxes as left, top, right, bottom: how far they overlap, and which of many on one thing is kept."""

from __future__ import annotations

import torch
from torch import Tensor


def areas(boxes: Tensor) -> Tensor:
    """The areas of boxes (..., 4)."""
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def overlaps(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union (N, M) of boxes (N, 4) and (M, 4); 0 where both are empty."""
    common = _common(one, other)
    return common / (areas(one)[:, None] + areas(other)[None] - common).clamp(min=1e-9)


def covered(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over the smaller area (N, M) of boxes (N, 4) and (M, 4): 1 where one lies in the other."""
    return _common(one, other) / torch.minimum(areas(one)[:, None], areas(other)[None]).clamp(min=1e-9)


def _common(one: Tensor, other: Tensor) -> Tensor:
    start, end = (
        torch.maximum(one[:, None, :2], other[None, :, :2]),
        torch.minimum(one[:, None, 2:], other[None, :, 2:]),
    )
    return (end - start).clamp(min=0).prod(-1)


def kept(boxes: Tensor, scores: Tensor, overlap: float, groups: Tensor | None = None, inner: bool = False) -> Tensor:
    """Non-maximum suppression: the indices of boxes that overlap no surer one of their group too far, surest first.

    Args:
        boxes: (N, 4).
        scores: (N,); of equal ones the first counts.
        overlap: intersection over union above which the less sure one is dropped.
        groups: classes (N,); boxes of different ones do not compete. None: all do.
        inner: measure overlap by the smaller area, so that a box within another is dropped, too.
    """
    order = scores.argsort(descending=True, stable=True)
    measure = covered if inner else overlaps
    rival = measure(boxes[order], boxes[order]) > overlap
    if groups is not None:
        rival &= groups[order][:, None] == groups[order][None]
    alive = torch.ones(len(order), dtype=torch.bool)
    for at in range(len(order)):
        if alive[at]:
            alive[at + 1 :] &= ~rival[at, at + 1 :]
    return order[alive]


__all__ = ["areas", "covered", "kept", "overlaps"]

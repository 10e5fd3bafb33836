"""Maps by bands of frequencies, each an octave, so that two can be joined where one ends and the other begins."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.maths.bases import cosine


def bands(side: int) -> int:
    """How many bands maps of this side have: their mean, and every octave above it."""
    return 1 + (side - 1).bit_length()


def joined(low: Tensor, high: Tensor, band: int) -> Tensor:
    """Maps whose bands before ``band`` are those of ``low``, and the others those of ``high``.

    The transform is orthonormal: of two maps of white noise comes white noise.

    Args:
        low: (..., H, W).
        high: of a shape that both stretch to.
        band: the first that is taken from ``high``; 0: all are, 1: all but the mean, 2: all but the two lowest
            frequencies along each side, then four, eight and so on.

    Returns:
        maps of the shape that both stretch to.

    Source: danqing; Ahmed, Natarajan, Rao 1974 (cosine transform).
    """
    down, along = (cosine(side).to(low) for side in low.shape[-2:])
    kept = 2 ** (band - 1) if band else 0
    within = torch.outer(torch.arange(len(down)) < kept, torch.arange(len(along)) < kept).to(low.device)
    mixed = torch.where(within, down @ low @ along.T, down @ high @ along.T)
    return down.T @ mixed @ along

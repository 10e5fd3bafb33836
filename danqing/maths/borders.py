"""What lies beyond the border of a picture: its mirror image, as often as needed."""

from __future__ import annotations

import torch
from torch import Tensor


def mirrored(x: Tensor, margin: int | tuple[int, int, int, int]) -> Tensor:
    """Surround pictures by their mirror image, border pixels repeated; pictures smaller than the margin repeat it.

    Args:
        x: (..., H, W).
        margin: pixels on every side, or on top, bottom, left, right.

    Returns:
        (..., top + H + bottom, left + W + right), values of ``x``.

    Source: danqing; "symmetric" in NumPy, half-sample symmetry in filter banks.
    """
    top, bottom, left, right = (margin,) * 4 if isinstance(margin, int) else margin
    if top or bottom:
        x = x.index_select(-2, _places(x.shape[-2], top, bottom).to(x.device))
    if left or right:
        x = x.index_select(-1, _places(x.shape[-1], left, right).to(x.device))
    return x


def _places(size: int, before: int, after: int) -> Tensor:
    """Where in 0 … size - 1 the pixels -before … size + after - 1 are found."""
    place = torch.arange(-before, size + after) % (2 * size)  # a picture and its mirror image, again and again
    return torch.minimum(place, 2 * size - 1 - place)

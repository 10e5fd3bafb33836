"""Colours apart from light and dark."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images

CELLS = 8  # a side: tints are averaged within, so that noise is no colour


def tints(x: Images) -> Tensor:
    """Red against green, and both against blue, (B, 2, H, W) in [-1, 1], of pictures (B, 3, H, W)."""
    red, green, blue = x.float().unbind(1)
    return torch.stack([red - green, (red + green) / 2 - blue], 1)


def spread_of_tints(x: Images) -> float:
    """The standard deviation of the tints of a set (B, 3, H, W), over all pictures and an 8×8 grid of places in each.

    Source: the two opponent channels of Hasler & Süsstrunk 2003, "Measuring colourfulness in natural images", sec. 6.
    """
    cells = functional.adaptive_avg_pool2d(tints(x), CELLS)
    return float(cells.transpose(0, 1).flatten(1).var(1, correction=0).sum().sqrt())


__all__ = ["spread_of_tints", "tints"]

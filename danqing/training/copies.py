"""Which of the painted pictures are near copies of those learned from: by thumbnails, cheap enough for every look."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images

SIDE = 16  # px of a thumbnail
USUAL = 0.02  # quantile of the distances between real pictures that are no copies
NEARER = 0.5  # of that distance


def thumbnails(x: Images) -> Tensor:
    """Small pictures as rows (N, C · 16 · 16)."""
    return functional.interpolate(x.float(), (SIDE, SIDE), mode="area").flatten(1)


def copied(painted: Tensor, learned: Tensor, held_out: Tensor) -> Tensor:
    """Say of each painted picture (N,) whether it is a near copy.

    It is when it lies less than half as far from a training picture as held-out pictures lie from their nearest, but
    for the closest fiftieth of these. Where too few are held out, training pictures and their fellows stand for them.

    Args:
        painted: thumbnails (N, D).
        learned: thumbnails (M, D) of training pictures, more than one.
        held_out: thumbnails (K, D) of pictures never learned from.
    """
    if len(held_out) >= 1 / USUAL:
        usual = torch.cdist(held_out, learned).amin(1)
    else:
        usual = torch.cdist(learned, learned).fill_diagonal_(torch.inf).amin(1)
    limit = NEARER * usual.quantile(USUAL)
    return torch.cdist(painted, learned).amin(1) < limit


__all__ = ["copied", "thumbnails"]

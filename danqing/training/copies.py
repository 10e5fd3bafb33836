"""Which of the painted pictures are near copies of those learned from: by thumbnails, cheap enough for every look."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.maths.neighbours import nearest

SIDE = 16  # px of a thumbnail
USUAL = 0.02  # quantile of the distances between real pictures that are no copies
NEARER = 0.5  # of that distance


def thumbnails(x: Images) -> Tensor:
    """Small pictures as rows (N, C · 16 · 16)."""
    return functional.interpolate(x.float(), (SIDE, SIDE), mode="area").flatten(1)


def limit_of(learned: Tensor, held_out: Tensor) -> float:
    """The distance below which a picture is a near copy of a training picture.

    It is half as far as held-out pictures lie from their nearest training picture, but for the closest fiftieth of
    these. Where too few are held out, training pictures and their fellows stand for them.

    Args:
        learned: thumbnails (M, D) of training pictures, more than one.
        held_out: thumbnails (K, D) of pictures never learned from.
    """
    enough = len(held_out) >= 1 / USUAL
    usual = nearest(held_out, learned)[0] if enough else nearest(learned, learned, others=True)[0]
    return NEARER * float(usual.quantile(USUAL))


def copied(painted: Tensor, learned: Tensor, limit: float) -> Tensor:
    """Say of each painted picture (N,) whether it lies nearer to a training picture than that; all are thumbnails."""
    return nearest(painted, learned)[0][:, 0] < limit


__all__ = ["copied", "limit_of", "thumbnails"]

"""From shares of pixels to things: pieces of a class that hang together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.found import Thing
from danqing.maths.labelled import around_pixels

SMALLEST = 2e-4  # share of the picture below which a piece is a speck


def things_in_planes(shares: Tensor, names: Sequence[str], size: Sequence[int]) -> list[Thing]:
    """The pieces of each class in one picture, the surest first; their score is the mean share of their pixels.

    Args:
        shares: how sure it is that pixels belong to nothing and to each class, (1 + classes, h, w).
        names: of the classes.
        size: height and width of the picture, to which the shares are enlarged first.
    """
    best, label = _leading(shares, size)
    least = max(1, math.ceil(SMALLEST * best.numel()))
    things = [
        Thing(names[at - 1], around_pixels(piece), min(float(best[piece].mean()), 1.0), mask=piece)
        for at in label.unique().tolist()
        if at
        for piece in pieces_of(label == at, least)
    ]
    return sorted(things, key=lambda thing: -thing.score)


def pieces_of(mask: Tensor, least: int = 1) -> list[Tensor]:
    """The parts of a mask (H, W) that hang together by sides or corners, each as a mask.

    Args:
        mask: what is marked.
        least: pixels that a part has; there may be thousands of specks, and each mask is as large as the picture.
    """
    from scipy.ndimage import label

    numbers, count = label(mask.cpu().numpy(), np.ones((3, 3)))
    sizes = np.bincount(numbers.reshape(-1), minlength=count + 1)
    return [torch.from_numpy(numbers == at) for at in range(1, count + 1) if sizes[at] >= least]


def _leading(shares: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The largest share of each pixel (H, W), and whose that is; a class at a time, since pictures may be large."""
    best, label = _enlarged(shares[0], size), torch.zeros(*size, dtype=torch.int16)
    for at in range(1, len(shares)):
        if float(shares[at].max()) < 1 / len(shares):
            continue  # it leads nowhere
        share = _enlarged(shares[at], size)
        ahead = share > best
        best, label = torch.where(ahead, share, best), label.masked_fill(ahead, at)
    return best, label


def _enlarged(share: Tensor, size: Sequence[int]) -> Tensor:
    return functional.interpolate(share[None, None], tuple(size), mode="bilinear", align_corners=False)[0, 0].cpu()


__all__ = ["pieces_of", "things_in_planes"]

"""Painting always so many pictures at a time: what one of them is does not depend on how many are asked for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from danqing.core.learned.manner import paints_freely
from danqing.core.pictures.contract import Images

BLOCK = 32  # pictures painted at a time


def paint_in_blocks(painter: Callable[[Tensor, Tensor | None], Tensor], z: Tensor, label: Tensor | None) -> Images:
    """Paint pictures in [0, 1], always so many at a time: sums then round alike, however many are asked for."""
    return in_blocks(painter, z, label).add(1).div(2).clamp(0, 1).contiguous()


def in_blocks(net: Callable[[Tensor, Tensor | None], Tensor], z: Tensor, label: Tensor | None) -> Tensor:
    """What a net makes of latents (B, …), always so many at a time, float32.

    Within :func:`danqing.core.learned.manner.freely` it makes all at once.
    """
    if paints_freely():
        return net(z, label).float()
    made = []
    for start in range(0, len(z), BLOCK):
        at = torch.arange(start, start + BLOCK, device=z.device)
        at = torch.where(at < len(z), at, start)  # fills up with the first
        made.append(net(z[at], None if label is None else label[at])[: len(z) - start])
    return torch.cat(made).float()

"""Looking at pictures in a smaller size, in which what is looked for is as wide as one knows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images


def in_reduced(
    x: Images, reduction: float, see: Callable[[Images], Tensor], mode: Literal["nearest", "bilinear"]
) -> Tensor:
    """Say of pictures (B, C, H, W) what is seen in them reduced, brought back to their size.

    Args:
        x: the pictures.
        reduction: by how much they are reduced; 1 or less leaves them as they are.
        see: tells of pictures (B, C, h, w) maps (B, D, h, w).
        mode: how what is seen becomes larger.
    """
    if reduction <= 1:
        return see(x)
    height, width = x.shape[-2:]
    sides = [max(1, math.floor(side / reduction + 0.5)) for side in (height, width)]
    return F.interpolate(see(F.interpolate(x, size=sides, mode="area")), size=(height, width), mode=mode)


__all__ = ["in_reduced"]

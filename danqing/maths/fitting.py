"""Bring pictures to the size and the channels that a model was made for."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images

LUMA = (0.299, 0.587, 0.114)  # what Pillow's "L" uses, so that a picture packed grey and one fitted grey agree


def fit(x: Images, size: int, channels: int) -> Images:
    """Cut the middle square out of pictures and resize it, in grey or in colour; a fitting picture is left as it is.

    Args:
        x: pictures (B, 1 or 3, H, W) in [0, 1].
        size: side of the result in px.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        (B, channels, size, size) in [0, 1], resized by an antialiased bicubic filter.

    Source: ITU-R BT.601 for the weights of grey; danqing for the rest.
    """
    return _resized(middle_square(in_channels(x, channels)), size)


def in_channels(x: Images, channels: int) -> Images:
    """Pictures in grey or in colour, (B, channels, H, W).

    Source: ITU-R BT.601 for the weights of grey.
    """
    if x.shape[1] == channels:
        return x
    if channels == 3:
        return x.expand(-1, 3, -1, -1)
    return (x * torch.tensor(LUMA, dtype=x.dtype, device=x.device).view(3, 1, 1)).sum(1, keepdim=True).clamp(0, 1)


def middle_square(x: Tensor) -> Tensor:
    """The largest square in the middle of pictures or masks (B, C, H, W)."""
    height, width = x.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return x[:, :, top : top + side, left : left + side]


def _resized(x: Tensor, size: int) -> Tensor:
    if x.shape[2] == size:
        return x
    return F.interpolate(x, size=(size, size), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def unfit(x: Tensor, height: int, width: int) -> Tensor:
    """Lay what belongs to the middle square, (B, C, h, w), back on pictures of a size; what was cut off gets zeros."""
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
    return F.pad(square, (left, width - side - left, top, height - side - top))

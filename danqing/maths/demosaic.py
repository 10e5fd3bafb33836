"""A sensor behind a mosaic of colour filters, and three ways to guess the two colours that each pixel did not see.

The mosaic is Bayer's: red and green in even rows, green and blue in odd ones, beginning with red.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from danqing.maths.full_precision import full_precision

Demosaic = Literal["bilinear", "gradient", "directed"]
_GREEN = ((0, 0, -1, 0, 0), (0, 0, 2, 0, 0), (-1, 2, 4, 2, -1), (0, 0, 2, 0, 0), (0, 0, -1, 0, 0))
_ALONG = ((0, 0, 0.5, 0, 0), (0, -1, 0, -1, 0), (-1, 4, 5, 4, -1), (0, -1, 0, -1, 0), (0, 0, 0.5, 0, 0))
_ACROSS = ((0, 0, -1.5, 0, 0), (0, 2, 0, 2, 0), (-1.5, 0, 6, 0, -1.5), (0, 2, 0, 2, 0), (0, 0, -1.5, 0, 0))


def mosaic(x: Tensor) -> Tensor:
    """Keep of each pixel the one colour that its filter lets through.

    Args:
        x: (B, 3, H, W).

    Returns:
        (B, 1, H, W).

    Source: B. Bayer, "Color imaging array", US patent 3,971,065, 1976.
    """
    return (x * _pattern(x)).sum(1, keepdim=True)


@full_precision
def demosaiced(sensed: Tensor, method: Demosaic) -> Tensor:
    """Guess the colours that are missing.

    Args:
        sensed: (B, 1, H, W), sides of at least 3 px, beginning with red.
        method: bilinear: the mean of the nearest pixels that saw the colour; gradient: that, corrected by how the
            colour seen here bends; directed: green along the direction in which the picture changes less, the others by
            their differences from green.

    Returns:
        (B, 3, H, W).

    Source: H. Malvar, L. He, R. Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color
        images", 2004, Figure 2 (gradient); J. Hamilton, J. Adams, "Adaptive color plan interpolation in single sensor
        color electronic camera", US patent 5,629,734, 1997 (directed).
    """
    if method == "bilinear":
        return _spread(sensed * _pattern(sensed))
    return (_corrected if method == "gradient" else _directed)(sensed)


def _pattern(like: Tensor) -> Tensor:
    """Which pixels see red, green and blue: (3, H, W) of zeros and ones."""
    odd_row = (torch.arange(like.shape[-2], device=like.device) % 2).to(like)[:, None]
    odd_column = (torch.arange(like.shape[-1], device=like.device) % 2).to(like)[None]
    red, blue = (1 - odd_row) * (1 - odd_column), odd_row * odd_column
    return torch.stack([red, 1 - red - blue, blue])


def _spread(planes: Tensor) -> Tensor:
    """Fill planes (B, 3, H, W) that hold their colour where the mosaic has it, and zero elsewhere, bilinearly."""
    framed = functional.pad(planes, (1, 1, 1, 1), mode="reflect")
    across = framed[..., :-2] + 2 * framed[..., 1:-1] + framed[..., 2:]
    square = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    green, beside = planes[:, 1:2], framed[:, 1:2]
    cross = beside[..., :-2, 1:-1] + beside[..., 2:, 1:-1] + beside[..., 1:-1, :-2] + beside[..., 1:-1, 2:]
    return torch.cat([square[:, :1] / 4, green + cross / 4, square[:, 2:] / 4], 1)


def _corrected(sensed: Tensor) -> Tensor:
    along = torch.tensor(_ALONG)
    kernels = torch.stack([torch.tensor(_GREEN), along, along.T, torch.tensor(_ACROSS)]).to(sensed)[:, None] / 8
    framed = functional.pad(sensed, (2, 2, 2, 2), mode="reflect")
    green, row, column, diagonal = functional.conv2d(framed, kernels).split(1, 1)
    is_red, is_green, is_blue = (plane > 0 for plane in _pattern(sensed))
    red_row = is_red.any(1, keepdim=True)
    red = torch.where(is_red, sensed, torch.where(is_blue, diagonal, torch.where(red_row, row, column)))
    blue = torch.where(is_blue, sensed, torch.where(is_red, diagonal, torch.where(red_row, column, row)))
    return torch.cat([red, torch.where(is_green, sensed, green), blue], 1)


def _directed(sensed: Tensor) -> Tensor:
    framed = functional.pad(sensed, (2, 2, 2, 2), mode="reflect")
    height, width = sensed.shape[-2:]

    def at(down: int, right: int) -> Tensor:
        return framed[..., 2 + down : 2 + down + height, 2 + right : 2 + right + width]

    bend = [2 * sensed - at(-2, 0) - at(2, 0), 2 * sensed - at(0, -2) - at(0, 2)]
    near = [(at(-1, 0), at(1, 0)), (at(0, -1), at(0, 1))]
    guess = [(one + two) / 2 + curve / 4 for (one, two), curve in zip(near, bend, strict=True)]
    change = [(one - two).abs() + curve.abs() for (one, two), curve in zip(near, bend, strict=True)]
    share = (change[1] > change[0]).to(sensed) / 2 + (change[1] >= change[0]).to(sensed) / 2
    pattern = _pattern(sensed)
    green = torch.where(pattern[1] > 0, sensed, torch.lerp(guess[1], guess[0], share))
    others = green + _spread((sensed - green) * pattern)
    return torch.cat([others[:, :1], green, others[:, 2:]], 1)

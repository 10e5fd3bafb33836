"""The operator rotate."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import pixel

Size = tuple[int, int]  # height, width in pixels


@operator(geometry=True, upended=lambda angle: angle % 180 == 90)
def rotate(
    x: Images,
    angle: Annotated[float, Range(-360, 360, "degrees")],
    expand: bool = True,
    fill: Colour | None = None,
    filter: Literal["nearest", "bilinear", "bicubic"] = "bicubic",
) -> Images:
    """Turn pictures about their centre by any angle, counter-clockwise.

    Quarter turns only move pixels and change no value.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        angle: how far to turn; negative is clockwise.
        expand: enlarge the frame so that nothing is cut off; otherwise keep the size.
        fill: colour of the new corners; not given: transparent where the picture has transparency, else black.
        filter: how values between pixels are found.

    Returns:
        Pictures of the same size, or of the turned frame's size.

    Source: danqing.

    Examples:
        danqing rotate photo.png --angle -3.5 --fill ffffff --out straight.png
    """
    background = pixel(fill or (0, 0, 0), x)
    old = (x.shape[2], x.shape[3])
    if angle % 90 == 0:
        turned = torch.rot90(x, int(angle // 90), (2, 3))
        return turned if expand or turned.shape == x.shape else _framed(turned, old, background)
    new = _frame(old, angle) if expand else old
    grid = _grid(old, new, angle).to(x.device).expand(len(x), -1, -1, -1)
    # Zero padding around the picture less the background: the border blends into the background, without jags.
    turned = grid_sample(x - background, grid, mode=filter, padding_mode="zeros", align_corners=False)
    return (turned + background).clamp(0, 1)


def _frame(old: Size, angle: float) -> Size:
    """The size of the upright frame around the turned picture."""
    (height, width), cos, sin = old, abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    return math.ceil(width * sin + height * cos - 1e-6), math.ceil(width * cos + height * sin - 1e-6)


def _grid(old: Size, new: Size, angle: float) -> Tensor:
    """Where each pixel of the new frame lies in the old one, (1, *new, 2) as ``grid_sample`` wants it."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    down, across = (torch.arange(side, dtype=torch.float64) - (side - 1) / 2 for side in new)
    grid = torch.empty(1, *new, 2)
    for axis, (by_column, by_row) in enumerate(((cos, -sin), (sin, cos))):  # y points down
        unit = 2 / old[1 - axis]
        grid[0, :, :, axis] = (by_column * unit * across).float() + (by_row * unit * down).float()[:, None]
    return grid


def _framed(turned: Tensor, size: Size, background: Tensor) -> Tensor:
    """Lay a turned picture on the middle of a frame, cutting what does not fit; whole pixels only."""
    out = background.expand(*turned.shape[:2], *size).clone()
    (to_y, from_y, rows), (to_x, from_x, columns) = (
        (max(0, (new - old) // 2), max(0, (old - new) // 2), min(old, new))
        for old, new in zip(turned.shape[-2:], size, strict=True)
    )
    part = turned[:, :, from_y : from_y + rows, from_x : from_x + columns]
    out[:, :, to_y : to_y + rows, to_x : to_x + columns] = part
    return out

"""Plane maps of pictures: matrices between pixel places, and pictures seen through them.

A place is (x, y) in pixels, (0, 0) the middle of the first pixel; a matrix (3, 3), float64, acts on (x, y, 1).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images

STRIP = 2**22  # pixels mapped at a time, so that memory stays bounded


def homography(old: Tensor, new: Tensor) -> Tensor:
    """Find the plane projective map that carries four places (4, 2) to four others, no three on a line; (3, 3).

    Source: R. Hartley, A. Zisserman, "Multiple view geometry", 2004, section 4.1.
    """
    old, new = old.double(), new.double()
    (x, y), (u, v), one, zero = old.T, new.T, torch.ones(4).double(), torch.zeros(4).double()
    for_u = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], 1)
    for_v = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], 1)
    found = torch.linalg.solve(torch.cat([for_u, for_v]), torch.cat([u, v]))
    return torch.cat([found, one[:1]]).view(3, 3)


def apply(matrix: Tensor, places: Tensor) -> Tensor:
    """Map places (N, 2) by a matrix (3, 3)."""
    mapped = torch.cat([places.double(), torch.ones(len(places), 1).double()], 1) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def warp(
    x: Images, back: Tensor, height: int, width: int, background: Tensor, filter: str = "bicubic", finer: int = 1
) -> Images:
    """See pictures through a map.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        back: the matrix (3, 3) that carries places of the new picture to places of the old one.
        height: height of the new picture.
        width: width of the new picture.
        background: the pixel (1, C, 1, 1) seen outside the old picture, into which its border blends without jags.
        filter: how values between pixels are found: nearest, bilinear or bicubic.
        finer: look at so many points a side of each new pixel and average, where the map makes the picture smaller.

    Returns:
        Pictures (B, C, height, width) in [0, 1].

    Source: danqing.
    """
    out = x.new_empty(*x.shape[:2], height, width)
    rows = max(1, STRIP // (width * finer**2))
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        grid = _grid(back, top, bottom, width, finer, x).to(x.device)
        seen = functional.grid_sample(
            x - background, grid.expand(len(x), -1, -1, -1), mode=filter, padding_mode="zeros", align_corners=False
        )
        out[:, :, top:bottom] = functional.avg_pool2d(seen, finer) if finer > 1 else seen
    return out.add_(background).clamp_(0, 1)


def _grid(back: Tensor, top: int, bottom: int, width: int, finer: int, x: Images) -> Tensor:
    """Where the points of rows ``top`` to ``bottom`` lie in the old picture, as ``grid_sample`` wants it."""
    down, across = (
        ((torch.arange(start * finer, end * finer, dtype=torch.float64) + 0.5) / finer - 0.5)
        for start, end in ((top, bottom), (0, width))
    )
    far = back[2, 0] * across + (back[2, 1] * down + back[2, 2])[:, None]
    far = torch.where(far.abs() < 1e-9, 1e-9, far)
    grid = torch.empty(1, len(down), len(across), 2)
    for axis, size in ((0, x.shape[3]), (1, x.shape[2])):
        place = (back[axis, 0] * across + (back[axis, 1] * down + back[axis, 2])[:, None]) / far
        place = torch.where(far * back[2, 2] > 0, place, -1e6)  # behind the eye there is nothing
        grid[0, :, :, axis] = ((2 * place + 1) / size - 1).clamp(-1e6, 1e6)
    return grid

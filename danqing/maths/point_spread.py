"""How a lens or a movement spreads a point of light: the kernels of blur."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Blur = Literal["gaussian", "disk", "motion"]


def point_spread(blur: Blur, radius: float, angle: float = 0) -> Tensor:
    """Draw the image of a point.

    Args:
        blur: "gaussian" (haze, diffraction), "disk" (a lens out of focus) or "motion" (along a straight line).
        radius: in pixels: standard deviation of the Gaussian, radius of the disk, half the length of the line.
        angle: of the line in degrees, counted anticlockwise from the horizontal.

    Returns:
        (S, S) float64, S odd, non-negative, symmetric about its middle, of sum 1.

    Source: danqing; the line is drawn with linear interpolation, the disk's edge is soft over one pixel.
    """
    half = support(blur, radius)
    place = torch.arange(-half, half + 1, dtype=torch.float64)
    y, x = place[:, None], place[None, :]
    if blur == "gaussian":
        kernel = torch.exp(-(x**2 + y**2) / (2 * radius**2))
    elif blur == "disk":
        kernel = (radius + 0.5 - (x**2 + y**2).sqrt()).clamp(0, 1)
    else:
        kernel = _line(place, radius, math.radians(angle))
    kernel = kernel + kernel.flip(0, 1)  # exactly symmetric, whatever was rounded
    return kernel / kernel.sum()


def support(blur: Blur, radius: float) -> int:
    """How many pixels from its middle a kernel reaches."""
    return math.ceil(4 * radius if blur == "gaussian" else radius + 0.5)


def _line(place: Tensor, radius: float, angle: float) -> Tensor:
    """Add up points laid evenly on the line, each shared out among its four neighbours."""
    along = torch.linspace(-radius, radius, 16 * math.ceil(radius) + 1, dtype=torch.float64)[:, None]
    across = (1 - (place - along * math.cos(angle)).abs()).clamp(min=0)  # (points, S)
    down = (1 - (place + along * math.sin(angle)).abs()).clamp(min=0)
    return down.T @ across

"""The operator add_blur."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.degradation import defocus, motion


@operator(reach=lambda radius: int(radius) + 2)
def add_blur(
    x: Images,
    kind: Literal["defocus", "motion"] = "defocus",
    radius: Annotated[float, Range(0, 50, "px")] = 3,
    angle: Annotated[float, Range(-180, 180, "°")] = 0,
) -> Images:
    """Blur as a lens out of focus or a moving camera does.

    The operator ``deconvolve`` undoes it, with blur "disk" or "motion" and the same radius and angle.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        kind: what spread every point: "defocus" to a disk, "motion" to a line.
        radius: of the disk, or half the length of the line; 0 changes nothing.
        angle: of the movement, anticlockwise from the horizontal.

    Returns:
        Pictures of the same size, mirrored beyond their borders.

    Source: y = k * x; k is a disk whose edge is soft over one pixel, or a line drawn with linear interpolation, of
        sum 1 (danqing).

    Examples:
        danqing add_blur photo.png --radius 4 --out soft.png
        danqing add_blur photo.png --kind motion --radius 8 --angle 30 --out shaken.png
    """
    if kind == "defocus":
        return defocus(x, torch.tensor(radius))
    return motion(x, torch.tensor(2 * radius), torch.tensor(angle))

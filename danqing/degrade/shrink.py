"""The operator shrink."""

from __future__ import annotations

from typing import Annotated, Literal

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths import degradation


@operator(geometry=True)
def shrink(
    x: Images,
    scale: Annotated[int, Range(2, 8, "times")] = 2,
    method: Literal["bicubic", "area", "nearest", "lanczos"] = "bicubic",
) -> Images:
    """Make pictures several times smaller, as the small half of a pair to learn enlarging from.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        scale: how many times smaller; sides that it does not divide are rounded.
        method: "bicubic" (a = -1/2) and "lanczos" are antialiased, "area" is the mean, "nearest" keeps one pixel each.

    Returns:
        Pictures of 1 / scale the size, at least 1 px a side.

    Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981, eq. 15, the kernel widened by
        the scale, as super-resolution papers have it; K. Turkowski, "Filters for common resampling tasks", 1990.

    Examples:
        danqing shrink photo.png --scale 4 --out small.png
    """
    return degradation.shrink(x, scale, method)

"""The operator perspective."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.colour import Colour
from danqing.core.fields.corners import Corners, Quad
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import pixel
from danqing.maths.warp import apply, homography, warp

LARGEST = 2**28  # pixels of a result
FARTHEST = 1_000_000  # px
FINEST = 4  # points a side of a pixel that are averaged where the picture gets smaller


@operator(geometry=True)
def perspective(
    x: Images,
    corners: Corners | None = None,
    direction: Literal["straighten", "tilt"] = "straighten",
    width: Annotated[int, Range(1, 30_000, "px")] | None = None,
    height: Annotated[int, Range(1, 30_000, "px")] | None = None,
    fill: Colour | None = None,
    filter: Literal["nearest", "bilinear", "bicubic"] = "bicubic",
) -> Images:
    """Straighten what was photographed at an angle, or tilt pictures in space, by four corners.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        corners: four places "x,y" in pixels from the top left corner, in the order top left, top right, bottom right,
            bottom left, such as "12,30 410,8 440,300 5,280"; not given: the corners of the picture.
        direction: straighten cuts out what lies between the corners and makes it a rectangle; tilt lays the whole
            picture between the corners.
        width: width of the result; not given: about as wide as the corners are apart (straighten), or unchanged.
        height: height of the result; not given: about as high as the corners are apart (straighten), or unchanged.
        fill: colour of what lies outside the picture; not given: transparent where the picture has transparency, else
            black.
        filter: how values between pixels are found.

    Returns:
        Pictures of the size given.

    Raises:
        ParameterError: if the corners cannot be read or do not make a convex shape in this order, or the result would
            be larger than 268 megapixels.

    Source: R. Hartley, A. Zisserman, "Multiple view geometry", 2004, section 4.1.

    Examples:
        danqing perspective photo.png --corners "30,40 480,10 500,500 10,470" --out page.png
        danqing perspective photo.png --corners "60,40 452,80 452,432 60,472" --direction tilt --out tilted.png
    """
    own = _rectangle(x.shape[3], x.shape[2])
    places = own if corners is None else _convex(corners)
    straighten = direction == "straighten"
    wide = width or (_apart(places, (0, 1), (3, 2)) if straighten else x.shape[3])
    high = height or (_apart(places, (0, 3), (1, 2)) if straighten else x.shape[2])
    if wide * high > LARGEST:
        raise ParameterError(f"{wide}×{high} px is more than {LARGEST // 10**6} megapixels", where="corners")
    new = _rectangle(wide, high)
    back = homography(new, places) if straighten else homography(places, own)
    return warp(x, back, high, wide, pixel(fill or (0, 0, 0), x), filter, _points(back, new if straighten else places))


def _convex(corners: Quad) -> Tensor:
    """The corners (4, 2) as places between pixels, half a pixel before those of their middles.

    Raises:
        ParameterError: if they have no inside, or lie too far away.
    """
    places = torch.tensor(corners, dtype=torch.float64)
    sides = places.roll(-1, 0) - places
    turns = sides[:, 0] * sides.roll(-1, 0)[:, 1] - sides[:, 1] * sides.roll(-1, 0)[:, 0]
    if not bool((turns > 1e-3).all()):
        remedy = "Give top left, top right, bottom right, bottom left"
        raise ParameterError("the corners do not make a convex shape in this order", where="corners", remedy=remedy)
    if float(places.abs().max()) > FARTHEST:
        raise ParameterError(f"a corner lies more than {FARTHEST:,} px away", where="corners")
    return places - 0.5


def _rectangle(width: int, height: int) -> Tensor:
    """The corners (4, 2) of a picture: the outer ones of its corner pixels."""
    return torch.tensor([[0, 0], [width, 0], [width, height], [0, height]], dtype=torch.float64) - 0.5


def _apart(places: Tensor, *pairs: tuple[int, int]) -> int:
    """How far the corners of two opposite sides are apart, on average, in whole pixels."""
    lengths = [float((places[one] - places[other]).norm()) for one, other in pairs]
    return max(1, round(sum(lengths) / len(lengths)))


def _points(back: Tensor, corners: Tensor) -> int:
    """How many points a side of a new pixel must be seen, so that none of the old ones near the corners is missed."""
    inside = torch.lerp(corners, corners.mean(0), 0.1)
    steps = [apply(back, inside + torch.tensor(step)) - apply(back, inside) for step in ((0.5, 0.0), (0.0, 0.5))]
    return min(FINEST, max(1, math.ceil(2 * max(float(step.norm(dim=1).max()) for step in steps) - 0.25)))

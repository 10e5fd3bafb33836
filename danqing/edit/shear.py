"""The operator shear."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import pixel
from danqing.maths.warp import warp

STEEPEST = Range(-80, 80, "degrees")


@operator(geometry=True)
def shear(
    x: Images,
    horizontal: Annotated[float, STEEPEST] = 0.0,
    vertical: Annotated[float, STEEPEST] = 0.0,
    expand: bool = True,
    fill: Colour | None = None,
    filter: Literal["nearest", "bilinear", "bicubic"] = "bicubic",
) -> Images:
    """Slant pictures sideways or upwards, like italic letters.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        horizontal: how far upright lines lean to the right; negative leans to the left.
        vertical: how far level lines rise to the right; negative falls.
        expand: enlarge the frame so that nothing is cut off; otherwise keep the size and the middle in its place.
        fill: colour of the new corners; not given: transparent where the picture has transparency, else black.
        filter: how values between pixels are found.

    Returns:
        Pictures of the same size, or of the slanted frame's size; areas stay as large as they are.

    Raises:
        ParameterError: if both angles together squeeze the picture into a line.

    Source: danqing.

    Examples:
        danqing shear photo.png --horizontal 12 --fill ffffff --out italic.png
    """
    if horizontal == vertical == 0:
        return x.clone()
    right, up = math.tan(math.radians(horizontal)), math.tan(math.radians(vertical))
    area = 1 - right * up
    if area < 0.05:
        remedy = "Make one of the angles smaller"
        raise ParameterError("both angles together leave nothing of the picture", where="vertical", remedy=remedy)
    height, width = x.shape[-2:]
    high, wide = (height, width) if not expand else _frame(height, width, abs(right), abs(up), math.sqrt(area))
    middle, old = torch.tensor([(wide - 1) / 2, (high - 1) / 2]), torch.tensor([(width - 1) / 2, (height - 1) / 2])
    back = torch.eye(3, dtype=torch.float64)
    turn = torch.tensor([[1.0, -right], [-up, 1.0]], dtype=torch.float64) / math.sqrt(area)  # of area 1; y points down
    back[:2, :2] = torch.linalg.inv(turn)
    back[:2, 2] = old.double() - back[:2, :2] @ middle.double()
    return warp(x, back, high, wide, pixel(fill or (0, 0, 0), x), filter)


def _frame(height: int, width: int, right: float, up: float, scale: float) -> tuple[int, int]:
    """The size of the upright frame around the slanted picture."""
    return math.ceil((height + up * width) / scale - 1e-6), math.ceil((width + right * height) / scale - 1e-6)

"""The operator temperature."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import BRIGHTNESS, from_linear, to_linear

DAYLIGHT = 6500.0  # K, where pictures are left as they are
FURTHEST = 0.03  # distance from the line of glowing bodies (CIE 1960 u, v) at tint 1
_XYZ_FROM_RGB = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@operator(reach=0)
def temperature(
    x: Images,
    kelvin: Annotated[float, Range(1500, 15000, "K")] = 5000.0,
    tint: Annotated[float, Range(-1, 1)] = 0.0,
) -> Images:
    """Light pictures as if by a warmer or colder lamp.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        kelvin: temperature of the lamp: 2000 a candle, 2800 a light bulb, 5000 a warm afternoon, 6500 daylight, which
            changes nothing, 10000 a blue sky.
        tint: green (below 0) or magenta (above 0).

    Returns:
        Pictures of the same size; grey keeps its luminance. A grey picture becomes coloured.

    Source: M. Krystek, "An algorithm to calculate correlated colour temperature", 1985 (the colour of the lamp);
    Bradford chromatic adaptation, CIE 160:2004.

    Examples:
        danqing temperature photo.png --kelvin 4200 --out warm.png
        danqing temperature photo.png --kelvin 8000 --tint 0.1 --out cool.png
    """
    linear = to_linear(x.expand(-1, 3, -1, -1)).movedim(1, -1)
    matrix = _adaptation(kelvin, tint).to(linear)
    return from_linear((linear @ matrix.T).clamp(0, 1)).movedim(-1, 1).contiguous()


def _adaptation(kelvin: float, tint: float) -> Tensor:
    """The matrix (3, 3), float64, that carries linear light from daylight to the lamp; white keeps its luminance."""
    xyz_from_rgb, bradford = (torch.tensor(rows, dtype=torch.float64) for rows in (_XYZ_FROM_RGB, _BRADFORD))
    cones = bradford @ torch.stack([_white(kelvin, tint), _white(DAYLIGHT, 0)], 1)
    to_cones = bradford @ xyz_from_rgb
    matrix = torch.linalg.inv(to_cones) @ torch.diag(cones[:, 0] / cones[:, 1]) @ to_cones
    scaled: Tensor = matrix / (torch.tensor(BRIGHTNESS, dtype=torch.float64) @ matrix.sum(1))
    return scaled


def _white(kelvin: float, tint: float) -> Tensor:
    """The colour of a lamp as XYZ (3,) of luminance 1."""
    u, v = _uv(kelvin)
    (u0, v0), (u1, v1) = _uv(kelvin * 0.999), _uv(kelvin * 1.001)
    length = math.hypot(u1 - u0, v1 - v0)
    along_u, along_v = (u1 - u0) / length, (v1 - v0) / length
    u, v = u + tint * FURTHEST * -along_v, v + tint * FURTHEST * along_u  # square to the line; below it is magenta
    return torch.tensor([1.5 * u / v, 1, (4 - u - 10 * v) / (2 * v)], dtype=torch.float64)


def _uv(t: float) -> tuple[float, float]:
    """CIE 1960 (u, v) of a glowing body of ``t`` kelvin, 1000…15000."""
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t**2) / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t**2)
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t**2) / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t**2)
    return u, v

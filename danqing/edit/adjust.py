"""The operator adjust."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import from_linear, into_gamut, linear_from_oklab, to_linear, to_oklab


@operator(reach=0)
def adjust(
    x: Images,
    exposure: Annotated[float, Range(-5, 5, "stops")] = 0.0,
    gamma: Annotated[float, Range(0.1, 10)] = 1.0,
    brightness: Annotated[float, Range(-1, 1)] = 0.0,
    contrast: Annotated[float, Range(0, 4, "times")] = 1.0,
    saturation: Annotated[float, Range(0, 4, "times")] = 1.0,
    hue: Annotated[float, Range(-180, 180, "degrees")] = 0.0,
) -> Images:
    """Set exposure, gamma, brightness, contrast, saturation and hue of pictures.

    They are applied in the order of the parameters; each left at its default changes nothing.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        exposure: light as if the shutter had been open 2 ** exposure times as long; what gets too bright is cut off.
        gamma: above 1 lightens the middle tones, below 1 darkens them; black and white stay.
        brightness: mixes with white (above 0) or with black (below 0).
        contrast: slope at middle grey; above 1 a smooth S-curve that keeps black and white apart, below 1 a straight
            line, 0 is plain grey.
        saturation: colourfulness, lightness and hue staying as they are; 0 is grey.
        hue: turns every colour on the colour wheel, lightness staying as it is: red goes to yellow, green and blue.

    Returns:
        Pictures of the same size.

    Source: exposure in linear light (IEC 61966-2-1); the S-curve is the gain of K. Perlin, E. Hoffert, "Hypertexture",
    1989; saturation and hue in OKLab (B. Ottosson 2020), pulled towards grey where a screen has no such colour.

    Examples:
        danqing adjust photo.png --exposure 0.5 --contrast 1.2 --out brighter.png
        danqing adjust photo.png --saturation 0 --gamma 1.3 --out grey.png
    """
    out = from_linear((to_linear(x) * 2**exposure).clamp(max=1)) if exposure else x.clone()
    if gamma != 1:
        out = out ** (1 / gamma)
    if brightness:
        out = out + brightness * (1 - out) if brightness > 0 else out * (1 + brightness)
    if contrast != 1:
        out = _contrasted(out, contrast)
    if (saturation != 1 or hue) and x.shape[1] == 3:
        out = _coloured(out.clamp(0, 1), saturation, math.radians(hue))
    return out.clamp(0, 1)


def _contrasted(x: Images, contrast: float) -> Images:
    if contrast < 1:
        return 0.5 + contrast * (x - 0.5)
    away = 1 - (2 * x - 1).abs()  # 1 at middle grey, 0 at black and white
    return 0.5 + (x - 0.5).sign() * (0.5 - 0.5 * away.clamp(min=0) ** contrast)


def _coloured(x: Images, saturation: float, hue: float) -> Images:
    """Scale and turn the colour plane of OKLab."""
    lightness, across, up = to_oklab(x.movedim(1, -1)).unbind(-1)
    cos, sin = saturation * math.cos(hue), saturation * math.sin(hue)
    turned: Tensor = torch.stack([lightness, cos * across - sin * up, sin * across + cos * up], -1)
    return from_linear(into_gamut(linear_from_oklab(turned))).movedim(-1, 1).contiguous()

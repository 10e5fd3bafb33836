"""The operator white_balance."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from danqing.core.fields.colour import RGB, Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import seen_in
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import BRIGHTNESS, from_linear, to_linear

POWERS = {"grey": 1.0, "shades": 6.0}
BRIGHTEST = 0.99  # the level that one pixel in a hundred exceeds stands for white: the very brightest may be faults
CLIPPED = 0.98  # a channel this full has lost its ratio to the others, so the pixel tells nothing of the light
STRONGEST = 8.0  # times; no lamp asks for more, and a picture without any blue would ask for infinity


def _settled(x: Images, method: str, neutral: RGB | None, seen: Mask | None) -> dict[str, Any]:
    if neutral is not None or x.shape[1] == 1:
        return {}
    there = seen_in(seen)
    light = _light(to_linear(x[0]), method, slice(None) if there is None else there.flatten())
    return {"neutral": tuple(from_linear(light).tolist())}


@operator(reach=0, settle=_settled, version=2)
def white_balance(
    x: Images,
    method: Literal["grey", "shades", "white"] = "shades",
    neutral: Colour | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
) -> Images:
    """Take the colour of the light out of pictures, so that grey things look grey.

    Pixels that are blown out keep their white.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; grey ones have no cast.
        method: how the light is guessed: grey, that all colours together make grey; white, that the brightest of each
            channel are white; shades is between the two and mostly the best guess.
        neutral: the colour in the picture of something known to be grey or white, instead of a guess.
        strength: how much of the cast is taken out.

    Returns:
        Pictures of the same size; the guessed light turns grey and keeps its luminance.

    Source: G. Buchsbaum, "A spatial processor model for object colour perception", 1980 (grey); E. Land, "The retinex
    theory of color vision", 1977 (white); G. Finlayson, E. Trezzi, "Shades of gray and colour constancy", 2004
    (shades); gains in linear light after J. von Kries, 1902.

    Examples:
        danqing white_balance photo.png --out neutral.png
        danqing white_balance photo.png --neutral d8c8a8 --out neutral.png
    """
    if neutral is None or x.shape[1] == 1:  # settled where there are colours
        return x.clone()
    light = to_linear(torch.tensor(neutral).to(x))
    out = torch.empty_like(x)
    for picture, target in zip(x, out, strict=True):
        linear = to_linear(picture)
        gains = _gains(light, strength)[:, None, None]
        faded = ((picture.amin(0) - 0.9) / 0.1).clamp(0, 1)  # where even the darkest channel is full, white is white
        target.copy_(from_linear((linear * (gains + (1 - gains) * faded)).clamp(0, 1)))
    return out


def _light(linear: Tensor, method: str, there: Tensor | slice) -> Tensor:
    """Guess the colour (3,) of the light on a picture (3, H, W) in linear light, from the pixels that count."""
    pixels = linear.flatten(1)[:, there].double()
    seen = pixels[:, pixels.amax(0) < CLIPPED]
    pixels = seen if seen.shape[1] else pixels
    if method == "white":
        rank = max(1, round(BRIGHTEST * pixels.shape[1]))
        return pixels.kthvalue(rank, 1).values.to(linear)
    power = POWERS[method]
    return ((pixels**power).mean(1) ** (1 / power)).to(linear)


def _gains(light: Tensor, strength: float) -> Tensor:
    """What each channel (3,) is multiplied by to turn this light grey without changing its luminance."""
    luminance = (light * torch.tensor(BRIGHTNESS).to(light)).sum()
    if luminance <= 1e-6:  # a black picture
        return torch.ones_like(light)
    return (luminance / light.clamp(min=1e-6)).clamp(1 / STRONGEST, STRONGEST) ** strength

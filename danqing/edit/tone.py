"""The operator tone."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import from_linear, into_gamut, linear_from_oklab, to_oklab

Stop = tuple[float, float, float]  # lightness, green–red, blue–yellow in OKLab
STYLES: dict[str, tuple[Stop, ...]] = {  # from the darkest to the lightest tone
    "sepia": ((0.12, 0.012, 0.016), (0.45, 0.032, 0.058), (0.75, 0.016, 0.062), (0.97, 0.002, 0.026)),
    "selenium": ((0.08, 0.014, -0.012), (0.5, 0.012, -0.004), (0.98, 0.0, 0.006)),
    "cyanotype": ((0.22, -0.02, -0.11), (0.5, -0.045, -0.11), (0.8, -0.025, -0.05), (0.98, -0.004, 0.006)),
    "duotone": ((0.25, 0.02, -0.12), (0.93, 0.03, 0.08)),
}


@operator(reach=0)
def tone(
    x: Images,
    style: Literal["sepia", "selenium", "cyanotype", "duotone"] = "sepia",
    dark: Colour | None = None,
    light: Colour | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
) -> Images:
    """Tone pictures like old photographs, or print them in two colours.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; colours are seen in their lightness.
        style: sepia is brown, selenium a cool black, cyanotype a blueprint, duotone dark blue and pale orange.
        dark: the colour that black turns into; not given: that of the style.
        light: the colour that white turns into; not given: that of the style.
        strength: how much of the original colours is replaced.

    Returns:
        Pictures (B, 3, H, W); lighter stays lighter wherever the light colour is lighter than the dark one.

    Source: danqing; colours are mixed in OKLab (B. Ottosson, 2020).

    Examples:
        danqing tone photo.png --style sepia --out old.png
        danqing tone photo.png --style duotone --dark 1b1464 --light ffe9c9 --out poster.png
    """
    lab = to_oklab(x.expand(-1, 3, -1, -1).movedim(1, -1))
    toned = _along(lab[..., 0], _stops(style, dark, light).to(lab))
    mixed = lab + strength * (toned - lab)
    return from_linear(into_gamut(linear_from_oklab(mixed))).movedim(-1, 1).clamp(0, 1).contiguous()


def _stops(style: str, dark: Colour | None, light: Colour | None) -> Tensor:
    """The colours (K, 3) that lightness 0, 1 / (K - 1), … 1 turns into."""
    stops = torch.tensor(STYLES[style], dtype=torch.float64)
    if dark is not None and light is not None:
        stops = stops[[0, -1]]  # the middle of a style belongs to its own ends
    for at, colour in ((0, dark), (-1, light)):
        if colour is not None:
            stops[at] = to_oklab(torch.tensor(colour, dtype=torch.float64))
    return stops


def _along(lightness: Tensor, stops: Tensor) -> Tensor:
    """Colours (..., 3) at each lightness (...), straight from stop to stop."""
    place = lightness.clamp(0, 1) * (len(stops) - 1)
    before = place.floor().clamp(max=len(stops) - 2).long()
    return torch.lerp(stops[before], stops[before + 1], (place - before)[..., None])

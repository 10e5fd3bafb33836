"""The operator recolour."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import from_linear, into_gamut, linear_from_oklab, to_oklab

SHADING = 0.35  # what a difference in lightness counts beside one in colour: light and shade lie on one thing
DARK = 0.05  # added to lightness before ratios are taken, so that black is a colour like others


@operator(reach=0)
def recolour(
    x: Images,
    old: Colour,
    new: Colour,
    tolerance: Annotated[float, Range(0, 1)] = 0.12,
    softness: Annotated[float, Range(0, 1)] = 0.5,
) -> Images:
    """Replace one colour of pictures by another, light and shade staying on it.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        old: the colour to be replaced.
        new: the colour that takes its place.
        tolerance: how different from the old colour a pixel may be and still change, in OKLab: 0.02 is just visible,
            0.1 is from orange to red, 0.2 from orange to grey.
        softness: share of the tolerance over which change fades out; 0 cuts hard.

    Returns:
        Pictures of the same size; pixels beyond the tolerance keep their values. A grey picture becomes
        coloured if the new colour is.

    Source: danqing; OKLab by B. Ottosson, 2020.

    Examples:
        danqing recolour photo.png --old d0662b --new 2b66d0 --out blue.png
    """
    rgb = x.expand(-1, 3, -1, -1).movedim(1, -1)
    lab = to_oklab(rgb)
    one, other = to_oklab(torch.tensor([old, new], dtype=torch.float64)).to(lab)
    # Under less light, all of OKLab shrinks by one factor: a surface in shade is its colour times that factor.
    shade = ((lab[..., :1] + DARK) / (one[0] + DARK)).clamp(max=1.5)
    weight = _weight(_distance(lab, one, shade), tolerance, softness)
    changed = from_linear(into_gamut(linear_from_oklab(lab + weight * shade * (other - one))))
    out = torch.where(weight > 0, changed, rgb).movedim(-1, 1).clamp(0, 1)
    return out[:, :1].clone() if x.shape[1] == 1 and len(set(new)) == 1 and len(set(old)) == 1 else out.contiguous()


def _distance(lab: Tensor, colour: Tensor, shade: Tensor) -> Tensor:
    """How different pixels (..., 3) look from a colour (3,) in their light, (..., 1)."""
    tint = (lab[..., 1:] - shade * colour[1:]).square().sum(-1, keepdim=True)
    return (tint + (SHADING * (lab[..., :1] - colour[0])).square()).sqrt()


def _weight(distance: Tensor, tolerance: float, softness: float) -> Tensor:
    """1 near the colour, falling smoothly to 0 at the tolerance."""
    belt = tolerance * softness
    if belt == 0:
        return (distance <= tolerance + 1e-6).to(distance)
    t = ((tolerance - distance) / belt).clamp(0, 1)
    return t * t * (3 - 2 * t)

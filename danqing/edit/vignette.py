"""The operator vignette."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import from_linear, pixel, to_linear


@operator
def vignette(
    x: Images,
    strength: Annotated[float, Range(0, 1)] = 0.5,
    size: Annotated[float, Range(0, 2, "times the picture")] = 0.8,
    softness: Annotated[float, Range(0, 1)] = 0.8,
    roundness: Annotated[float, Range(0, 1)] = 0.5,
    fill: Colour = (0.0, 0.0, 0.0),
) -> Images:
    """Darken pictures towards their corners, or fade them to a colour.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: how much of the light is gone in the outermost corners.
        size: where half of that loss is reached; 1 touches the middle of the borders, 1.4 the corners.
        softness: width of the change; 0 is a hard edge.
        roundness: 1 is a circle, 0 an ellipse of the picture's proportions.
        fill: the colour it fades to.

    Returns:
        Pictures of the same size; the middle keeps its values where the change has not begun.

    Source: danqing; light is mixed in linear light, as a lens would (IEC 61966-2-1).

    Examples:
        danqing vignette photo.png --strength 0.6 --out framed.png
        danqing vignette photo.png --strength 1 --softness 0.1 --roundness 1 --fill ffffff --out medallion.png
    """
    away = _distance(x.shape[2], x.shape[3], roundness).to(x)
    reach = max(size * softness, 1e-6)
    t = ((away - (size - reach)) / (2 * reach)).clamp(0, 1)
    weight = strength * t * t * (3 - 2 * t)
    mixed = torch.lerp(to_linear(x), to_linear(pixel(fill, x)).expand_as(x), weight.expand_as(x))
    return torch.where(weight > 0, from_linear(mixed.clamp(0, 1)), x).clamp(0, 1)


def _distance(height: int, width: int, roundness: float) -> Tensor:
    """How far pixels lie from the middle, (H, W); 1 in the middle of the borders (of the longer sides, if round)."""
    circle = max(height, width)
    down, across = (
        (torch.arange(side, dtype=torch.float64) - (side - 1) / 2) * 2 / (side + roundness * (circle - side))
        for side in (height, width)
    )
    return torch.hypot(down[:, None], across[None])

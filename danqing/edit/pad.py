"""The operator pad."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import pixel

Border = Annotated[int, Range(0, 10_000, "px")]


@operator(geometry=True)
def pad(
    x: Images,
    left: Border = 0,
    right: Border = 0,
    top: Border = 0,
    bottom: Border = 0,
    mode: Literal["colour", "reflect", "edge", "wrap"] = "colour",
    fill: Colour | None = None,
) -> Images:
    """Add borders around pictures.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        left: width of the border on the left.
        right: width of the border on the right.
        top: height of the border at the top.
        bottom: height of the border at the bottom.
        mode: a plain colour, or the picture itself mirrored at its border (reflect), its last pixels drawn out (edge)
            or the picture repeated (wrap).
        fill: the plain colour; not given: transparent where the picture has transparency, else black.

    Returns:
        Pictures (B, C, top + H + bottom, left + W + right); the old pixels keep their values.

    Source: danqing.

    Examples:
        danqing pad photo.png --left 40 --right 40 --fill ffffff --out framed.png
    """
    height, width = x.shape[-2:]
    if mode == "colour":
        shape = (*x.shape[:2], top + height + bottom, left + width + right)
        out = pixel(fill or (0, 0, 0), x).expand(shape).clone()
        out[:, :, top : top + height, left : left + width] = x
        return out
    rows = _indices(torch.arange(-top, height + bottom), height, mode)
    columns = _indices(torch.arange(-left, width + right), width, mode)
    return x[:, :, rows.to(x.device)][:, :, :, columns.to(x.device)]


def _indices(place: Tensor, size: int, mode: str) -> Tensor:
    """Which pixel of a row of ``size`` is seen at each place, however far outside it lies."""
    if mode == "wrap":
        return place % size
    if mode == "reflect" and size > 1:
        period = 2 * (size - 1)  # the border pixel itself is not doubled
        return (size - 1) - (place % period - (size - 1)).abs()
    return place.clamp(0, size - 1)

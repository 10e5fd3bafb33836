"""The operator resize."""

from __future__ import annotations

from typing import Annotated, Literal

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import from_linear, to_linear
from danqing.maths.resampling import resampled

LARGEST = 2**28  # pixels of a result: 3 GiB in colour; a slip of the finger should not freeze the computer


@operator(geometry=True, proportional=lambda linear: not linear)
def resize(
    x: Images,
    width: Annotated[int, Range(1, 100_000, "px")] | None = None,
    height: Annotated[int, Range(1, 100_000, "px")] | None = None,
    scale: Annotated[float, Range(0.001, 100, "times")] | None = None,
    filter: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = "lanczos",
    linear: bool = False,
) -> Images:
    """Make pictures smaller or larger, smoothly.

    Shrinking averages over all pixels that fall together, so that fine patterns do not turn into coarse ones.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        width: new width; without a height the proportions are kept.
        height: new height; without a width the proportions are kept.
        scale: new size as a multiple of the old, instead of width and height.
        filter: nearest keeps hard pixels, box averages areas, lanczos is the sharpest.
        linear: compute in linear light, so that fine bright detail keeps its brightness when shrunk.

    Returns:
        Pictures of the new size, at least 1 px a side.

    Raises:
        ParameterError: if no size or two sizes are given, or the result would be larger than 268 megapixels.

    Source: K. Turkowski, "Filters for common resampling tasks", Graphics Gems, 1990; computed by Pillow.

    Examples:
        danqing resize photo.png --width 800 --out small.png
        danqing resize photo.png --scale 0.5 --filter box --linear --out half.png
    """
    new_width, new_height = _size(x.shape[3], x.shape[2], width, height, scale)
    if (new_height, new_width) == x.shape[-2:]:
        return x.clone()
    out = resampled(to_linear(x) if linear else x, new_height, new_width, filter).clamp(0, 1)
    return from_linear(out).clamp(0, 1) if linear else out


def _size(
    old_width: int, old_height: int, width: int | None, height: int | None, scale: float | None
) -> tuple[int, int]:
    """Width and height of the result.

    Raises:
        ParameterError: if they are not determined, contradictory or too large.
    """
    if scale is not None and (width or height):
        raise ParameterError("is given together with a width or a height", where="scale", remedy="Give one of them")
    if scale is None and not (width or height):
        raise ParameterError("no size is given", where="resize", remedy="Give width, height or scale")
    if scale is not None:
        new_width, new_height = _rounded(old_width * scale), _rounded(old_height * scale)
    else:  # multiply before dividing: a half pixel rounds up, whatever the proportions
        new_width = width or _rounded(old_width * (height or 1) / old_height)
        new_height = height or _rounded(old_height * (width or 1) / old_width)
    if new_width * new_height > LARGEST:
        raise ParameterError(
            f"{new_width}×{new_height} px is more than {LARGEST // 10**6} megapixels",
            where="scale" if scale else "width" if width else "height",
        )
    return new_width, new_height


def _rounded(length: float) -> int:
    return max(1, int(length + 0.5))

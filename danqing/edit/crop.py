"""The operator crop."""

from __future__ import annotations

from typing import Annotated

from danqing.core.errors import ParameterError
from danqing.core.fields.box import Rectangle
from danqing.core.fields.boxes import Things
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found
from danqing.maths.found import around, chosen, lacking


@operator(geometry=True)
def crop(
    x: Images,
    left: Annotated[int, Range(0, unit="px")] = 0,
    top: Annotated[int, Range(0, unit="px")] = 0,
    width: Annotated[int, Range(1, unit="px")] | None = None,
    height: Annotated[int, Range(1, unit="px")] | None = None,
    boxes: Things | None = None,
    only: Only = "",
) -> Images:
    """Cut a box out of pictures.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        left: how far the box lies from the left border.
        top: how far the box lies from the top border.
        width: width of the box; not given: up to the right border.
        height: height of the box; not given: down to the bottom border.
        boxes: what was found in the pictures, as detect, find_faces or pose write it: cut to what holds them all,
            instead of left, top, width and height.
        only: labels of those that are meant, with commas between; empty: all.

    Returns:
        Pictures of the box's size, every pixel value kept.

    Raises:
        ParameterError: if the box leaves the picture, or nothing was found to cut to.

    Source: danqing.

    Examples:
        danqing crop photo.png --left 40 --top 20 --width 320 --height 240 --out part.png
        danqing crop photo.png --boxes faces.json --out faces.png
    """
    if boxes is not None or only:
        left, top, width, height = _around(x, boxes, only)
    bottom = _end("top", top, "height", height, x.shape[2])
    right = _end("left", left, "width", width, x.shape[3])
    return x[:, :, top:bottom, left:right].clone()  # a copy, so that the whole picture can be forgotten


def _around(x: Images, boxes: tuple[Found, ...] | None, only: str) -> Rectangle:
    """What holds all that was found in pictures that are cut alike."""
    things = tuple(thing for each in chosen(x, boxes, only) or () for thing in each)
    if not things:
        what = lacking(boxes or (), only) or "nothing was found to cut to"
        raise ParameterError(what, where="boxes", remedy="Look with a lower threshold")
    return around(things, x.shape[3], x.shape[2])


def _end(start_name: str, start: int, length_name: str, length: int | None, size: int) -> int:
    """Where a box that begins at ``start`` ends along an axis of ``size`` pixels."""
    inside = f"the picture's {length_name} is {size} px"
    if start >= size:
        raise ParameterError(f"{start} px lies outside: {inside}", where=start_name, remedy=f"At most {size - 1}")
    if length is None:
        return size
    if start + length > size:
        remedy = f"At most {size - start} from {start_name} {start}"
        raise ParameterError(f"{start} + {length} px lies outside: {inside}", where=length_name, remedy=remedy)
    return start + length

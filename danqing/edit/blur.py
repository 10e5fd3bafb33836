"""The operator blur."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.fields.box import Box, Rectangle
from danqing.core.fields.boxes import Things
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.found import chosen, rectangle
from danqing.maths.selection import box_in, fitting, surrounding

GRAIN = 6  # blocks across a place: too few to tell whose face it is
MARGIN = 0.1  # of a box on each side that is blurred with it: hair and chin


@operator
def blur(
    x: Images,
    box: Box | None = None,
    mask: Mask | None = None,
    method: Literal["soft", "mosaic"] = "soft",
    strength: Annotated[float, Range(0.1, 4)] = 1.0,
    boxes: Things | None = None,
    only: Only = "",
) -> Images:
    """Blur faces, or anything else in a place, beyond recognition.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        box: the place, as left,top,width,height in pixels; not given: the whole picture, or the mask.
        mask: the place, 1 (white) means "here", of the size of the pictures.
        method: soft blurs; mosaic paints blocks. Both keep six blocks of colour along a place, more below
            strength 1 and fewer above, so that little is left that could be sharpened again.
        strength: how coarse; at 2 half as many blocks are kept.
        boxes: what was found in the pictures, as detect, find_faces or pose write it: each is blurred on its own, in an
            oval.
        only: labels of those that are meant, with commas between; empty: all.

    Returns:
        Pictures of the same size; outside the places every value is kept.

    Raises:
        ParameterError: if a place leaves the picture, or the mask has another size.

    Source: danqing; the mean colours of blocks, enlarged by bicubic interpolation or as they are.

    Examples:
        danqing blur photo.png --boxes faces.json --out nameless.png
        danqing blur photo.png --box 10,10,80,40 --method mosaic --out sign.png
    """
    height, width = x.shape[-2:]
    out = x.clone()
    if (found := chosen(x, boxes, only)) is not None:
        for at, things in enumerate(found):
            for thing in things:
                frame = _wider(rectangle(thing, width, height), width, height)
                _blur(out[at], frame, _oval(frame).to(x), method, strength)
        return out.clamp_(0, 1)
    place = None if box is None else box_in(x, box)
    marked = torch.ones(len(x), height, width, dtype=torch.bool, device=x.device) if mask is None else fitting(mask, x)
    for at, there in enumerate(marked):
        if bool(there.any()):
            frame = place or surrounding(there)
            _blur(out[at], frame, there[frame.place].to(x), method, strength)
    return out.clamp_(0, 1)


def _blur(picture: Tensor, frame: Rectangle, cover: Tensor, method: str, strength: float) -> None:
    """Blur a place of a picture (C, H, W) where it is covered (h, w)."""
    rows, columns = frame.place
    part = picture[:, rows, columns]
    longer = max(frame.width, frame.height)
    blocks = max(1.0, GRAIN / strength) / longer
    size = [max(1, round(side * blocks)) for side in (frame.height, frame.width)]
    coarse = functional.interpolate(part[None], size, mode="area")
    if method == "mosaic":
        fine = functional.interpolate(coarse, part.shape[-2:], mode="nearest-exact")
    else:
        fine = functional.interpolate(coarse, part.shape[-2:], mode="bicubic", align_corners=False).clamp(0, 1)
    part.copy_(torch.where(cover > 0, torch.lerp(part, fine[0], cover), part))


def _wider(box: Rectangle, width: int, height: int) -> Rectangle:
    """A box with a margin, inside the picture."""
    across, down = round(box.width * MARGIN), round(box.height * MARGIN)
    left, top = max(box.left - across, 0), max(box.top - down, 0)
    right, bottom = min(box.left + box.width + across, width), min(box.top + box.height + down, height)
    return Rectangle(left, top, right - left, bottom - top)


def _oval(frame: Rectangle) -> Tensor:
    """How an oval covers its box (h, w), a tenth of it soft; corners stay clear."""
    down = (torch.arange(frame.height) + 0.5) / frame.height * 2 - 1
    across = (torch.arange(frame.width) + 0.5) / frame.width * 2 - 1
    power = 3  # between an oval and a rectangle, so that ears and chin are covered
    radius = (down[:, None].abs() ** power + across[None].abs() ** power) ** (1 / power)
    return ((1.05 - radius) / 0.1).clamp(0, 1)

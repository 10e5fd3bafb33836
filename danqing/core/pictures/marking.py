"""Drawing what was found into the picture, to be looked at."""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from danqing.core.pictures.contract import Images, from_uint8, to_uint8
from danqing.core.pictures.found import Found, Spot, Thing

Colour = tuple[int, int, int]
TINT = 0.45  # of a mask over the picture
LEAST = 0.3  # of a key point's score, to be drawn
LIMBS = (
    ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"),
    ("ankle", "heel"), ("heel", "foot"),
)  # fmt: skip
SPANS = (("left shoulder", "right shoulder"), ("left hip", "right hip"), ("left eye", "right eye"))


def marked(picture: Images, found: Found) -> Images:
    """Draw things into a picture (1, C, H, W): masks as a tint, boxes and labels, key points; (1, 3, H, W)."""
    x = picture.expand(-1, 3, -1, -1)
    for thing in found.things:
        if thing.mask is not None:
            tint = x.new_tensor(colour_of(thing.label)).view(1, 3, 1, 1) / 255
            x = torch.where(thing.mask, torch.lerp(x, tint, TINT), x)
    image = Image.fromarray(to_uint8(x)[0])
    pen = ImageDraw.Draw(image)
    width = max(1, round(max(image.size) / 300))
    for thing in reversed(found.things):  # the surest on top
        _draw(pen, thing, width, image.size)
    return from_uint8(np.asarray(image)[None].copy()).to(picture)


def colour_of(label: str) -> Colour:
    """A bright colour, always the same for a label."""
    hue = zlib.crc32(label.encode("utf-8", "surrogatepass")) % 360 / 360
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw(pen: Any, thing: Thing, width: int, size: tuple[int, int]) -> None:
    colour = colour_of(thing.label)
    left, top, right, bottom = (round(each) for each in thing.box)
    pen.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), outline=colour, width=width)
    seen = {each.name: each for each in thing.points if each.score >= LEAST}
    for one, other in _lines(seen):
        pen.line((one.x, one.y, other.x, other.y), fill=(255, 255, 255), width=width + 2)
        pen.line((one.x, one.y, other.x, other.y), fill=colour, width=width)
    radius = max(1.0, width * 1.4)
    for spot in seen.values():
        place = (spot.x - radius, spot.y - radius, spot.x + radius, spot.y + radius)
        pen.ellipse(place, fill=(255, 255, 255), outline=colour, width=max(1, width // 2))
    if min(size) >= 64:
        _write(pen, thing, (left, top), colour, size)


def _write(pen: Any, thing: Thing, corner: tuple[int, int], colour: Colour, size: tuple[int, int]) -> None:
    font = ImageFont.load_default(max(9, round(max(size) / 50)))
    text = thing.label if thing.score == 1 else f"{thing.label} {thing.score:.0%}"
    low = pen.textbbox((0, 0), text, font=font, anchor="lt")
    wide, high = low[2] + 6, low[3] + 6
    left = min(corner[0], max(size[0] - wide, 0))
    top = corner[1] - high if corner[1] >= high else corner[1]
    pen.rectangle((left, top, left + wide, top + high), fill=colour)
    dark = sum(share * part for share, part in zip((0.299, 0.587, 0.114), colour, strict=True)) < 140
    pen.text((left + 3, top + 3), text, fill=(255, 255, 255) if dark else (0, 0, 0), font=font, anchor="lt")


def _lines(seen: dict[str, Spot]) -> Iterable[tuple[Spot, Spot]]:
    """The limbs whose both ends are seen."""
    pairs = [(f"{side} {one}", f"{side} {other}") for side in ("left", "right") for one, other in LIMBS]
    names = pairs + list(SPANS) if "left shoulder" in seen or "right shoulder" in seen else []
    return [(seen[one], seen[other]) for one, other in names if one in seen and other in seen]


__all__ = ["colour_of", "marked"]

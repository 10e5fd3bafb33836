"""How a picture of any shape becomes a square of bytes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from danqing.core.images import Picture, to_uint8

Fit = Literal["crop", "pad", "stretch"]
FITS = ("crop", "pad", "stretch")
GREY = (0.299, 0.587, 0.114)  # the luma of Rec. 601


def square(picture: Picture, size: int, channels: int, fit: Fit) -> NDArray[np.uint8]:
    """Fit a picture into a square, by an antialiased (Lanczos) resize.

    Args:
        picture: what was read; where it is transparent, white shows through.
        size: the side of the square in pixels.
        channels: 1 or 3.
        fit: "crop" cuts out the largest centred square; "pad" keeps all of it, centred on black (on white where the
            picture has transparency); "stretch" gives up its proportions.

    Returns:
        Bytes (size, size, channels).
    """
    from PIL import Image

    pixels = _opaque(picture, channels)
    height, width = pixels.shape[:2]
    longer, side = max(height, width), min(height, width)
    if fit == "crop":
        top, left = (height - side) // 2, (width - side) // 2
        pixels = pixels[top : top + side, left : left + side]
    high, wide = (max(1, round(size * edge / longer)) for edge in (height, width)) if fit == "pad" else (size, size)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    small = image.resize((wide, high), Image.Resampling.LANCZOS)
    out = np.full((size, size, channels), 0 if picture.alpha is None else 255, np.uint8)
    top, left = (size - high) // 2, (size - wide) // 2
    out[top : top + high, left : left + wide] = np.asarray(small).reshape(high, wide, channels)
    return out


def _opaque(picture: Picture, channels: int) -> NDArray[np.uint8]:
    """The picture over white, as bytes (H, W, channels)."""
    pixels = picture.pixels
    if picture.alpha is not None:
        pixels = pixels * picture.alpha + (1 - picture.alpha)
    if pixels.shape[1] == 3 and channels == 1:
        pixels = (pixels * pixels.new_tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
    if pixels.shape[1] == 1 and channels == 3:
        pixels = pixels.expand(-1, 3, -1, -1)
    return to_uint8(pixels)[0]

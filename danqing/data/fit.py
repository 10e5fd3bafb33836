"""How a picture of any shape becomes a square of bytes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from danqing.core.errors import PictureError
from danqing.core.pictures.contract import Picture

Fit = Literal["crop", "pad", "stretch", "tiles"]
FITS = ("crop", "pad", "stretch", "tiles")
MARGIN = 3  # times the size that a picture must have when it is read, so that the resize decides how it looks
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # the luma of Rec. 601


def squares(picture: Picture, size: int, channels: int, fit: Fit, *, scale: int = 1) -> NDArray[np.uint8]:
    """Turn a picture into the squares that are learned from.

    Args:
        picture: what was read.
        size: the side of a square in pixels.
        channels: 1 or 3.
        fit: as of :func:`square`, which gives one; "tiles" cuts the picture, at its own scale, into as many squares as
            lie side by side in it, centred; a picture that is too small for one is enlarged until it fits.
        scale: as of :func:`square`.

    Returns:
        Bytes (N, size, size, channels), times the scale.
    """
    if fit != "tiles":
        return square(picture, size, channels, fit, scale=scale)[None]
    pixels = opaque(picture, channels)
    height, width = (edge // scale for edge in pixels.shape[:2])
    growth = max(1.0, size / min(height, width))
    if growth > 1:
        height, width = (max(size, round(edge * growth)) for edge in (height, width))
        pixels = _resized(pixels, height * scale, width * scale)
    down, across = height // size, width // size
    side, top, left = size * scale, (height - down * size) // 2 * scale, (width - across * size) // 2 * scale
    whole = pixels[top : top + down * side, left : left + across * side]
    tiles = whole.reshape(down, side, across, side, channels).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, side, side, channels))


def square(picture: Picture, size: int, channels: int, fit: Fit, *, scale: int = 1) -> NDArray[np.uint8]:
    """Fit a picture into a square, by an antialiased (Lanczos) resize.

    Args:
        picture: what was read; where it is transparent, white shows through.
        size: the side of the square in pixels.
        channels: 1 or 3.
        fit: "crop" cuts out the largest centred square; "pad" keeps all of it, centred on black (on white where the
            picture has transparency); "stretch" gives up its proportions.
        scale: how many times as large picture and square are as those of its partner, so that both show the same to
            the pixel: cuts are made where the partner's are.

    Returns:
        Bytes (size, size, channels), times the scale.
    """
    pixels = opaque(picture, channels)
    height, width = (edge // scale for edge in pixels.shape[:2])
    longer, side = max(height, width), min(height, width)
    if fit == "crop":
        top, left, edge = (height - side) // 2 * scale, (width - side) // 2 * scale, side * scale
        pixels = pixels[top : top + edge, left : left + edge]
    high, wide = (max(1, round(size * edge / longer)) for edge in (height, width)) if fit == "pad" else (size, size)
    small = _resized(pixels, high * scale, wide * scale)
    if (high, wide) == (size, size):
        return small
    out = np.full((size * scale, size * scale, channels), 0 if picture.alpha is None else 255, np.uint8)
    top, left = (size - high) // 2 * scale, (size - wide) // 2 * scale
    out[top : top + high * scale, left : left + wide * scale] = small
    return out


def check_scale(picture: Picture, pair: Picture, scale: int | None = None) -> None:
    """Refuse a pair that cannot show the same: the second must have the size of the first, or a multiple of it.

    Args:
        picture: the first.
        pair: what it should become.
        scale: how many times as large that must be; None: any whole number.

    Raises:
        PictureError: if it is not.
    """
    (height, width), (high, wide) = (each.pixels.shape[2:] for each in (picture, pair))
    times = scale or max(1, high // height)
    if (high, wide) != (times * height, times * width):
        what = f"is {width} x {height}, but its partner {wide} x {high}"
        raise PictureError(f"{what}, not {f'{times} times as large' if times > 1 else 'as large'}")


def _resized(pixels: NDArray[np.uint8], high: int, wide: int) -> NDArray[np.uint8]:
    from PIL import Image

    if pixels.shape[:2] == (high, wide):
        return pixels
    grey = pixels.shape[2] == 1
    small = Image.fromarray(pixels[..., 0] if grey else pixels).resize((wide, high), Image.Resampling.LANCZOS)
    return np.asarray(small).reshape(high, wide, pixels.shape[2])


def opaque(picture: Picture, channels: int) -> NDArray[np.uint8]:
    """Lay a picture over white, as bytes (H, W, channels).

    In numpy, since many threads do this at once and each operation of torch would start threads of its own.
    """
    pixels = picture.pixels[0].numpy()  # (C, H, W)
    if picture.alpha is not None:
        alpha = picture.alpha[0].numpy()
        pixels = pixels * alpha + (1 - alpha)
    if len(pixels) == 3 and channels == 1:
        pixels = np.tensordot(GREY, pixels, 1)[None]
    whole = (pixels * np.float32(255) + np.float32(0.5)).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(np.broadcast_to(whole, (*whole.shape[:2], channels)))

"""TIFF, written: deflated strips with a predictor, EXIF and a packet beside them.

Source: TIFF 6.0, 2, 8 and 14; Adobe Photoshop TIFF Technical Notes (deflate, ExtraSamples 2: unassociated alpha).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from danqing.core.pictures.exif import DESCRIPTIVE, LONG, MAIN, SHORT, Exif, Value

ROWS = 256  # of a strip
LEVEL = 6  # of compression
BYTE, XMP = 1, 700
RESOLUTION = (0x011A, 0x011B, 0x0128)


def write(pixels: NDArray[Any], exif: Exif, packet: bytes) -> Iterator[bytes]:
    """Write 8- or 16-bit channels (H, W, 1-4) as the pieces of a TIFF, in the byte order of its EXIF.

    Args:
        pixels: grey, grey and alpha, RGB, or RGBA.
        exif: tags to write beside the picture's own; those that describe another file's layout are left out.
        packet: an XMP packet; empty: none.
    """
    height, order = len(pixels), exif.order
    strips = [_strip(pixels[top : top + ROWS], order) for top in range(0, height, ROWS)]
    places = np.cumsum([8, *map(len, strips)]).tolist()
    end = places.pop()
    end += end % 2
    tags = {tag: value for tag, value in exif.tags[MAIN].items() if tag in DESCRIPTIVE or tag in RESOLUTION}
    tags |= _layout(pixels, order)
    tags[0x0111] = Value(LONG, struct.pack(f"{order}{len(places)}I", *places))
    tags[0x0117] = Value(LONG, struct.pack(f"{order}{len(places)}I", *map(len, strips)))
    if packet:
        tags[XMP] = Value(BYTE, packet)
    whole = Exif(order)
    whole.tags = {**exif.tags, MAIN: tags}
    directory = bytearray()
    whole.lay_out(MAIN, directory, end)
    if end + len(directory) >= 1 << 32:
        raise ValueError("more than 4 GB")
    yield (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", end)
    yield from strips
    yield b"\0" * (end - places[-1] - len(strips[-1])) + bytes(directory)


def _layout(pixels: NDArray[Any], order: str) -> dict[int, Value]:
    height, width, channels = pixels.shape
    numbers = {
        0x0100: (width,), 0x0101: (height,), 0x0102: (8 * pixels.itemsize,) * channels, 0x0103: (8,),
        0x0106: (1 if channels < 3 else 2,), 0x0115: (channels,), 0x0116: (min(ROWS, height),), 0x011C: (1,),
        0x013D: (2,),
    }  # fmt: skip
    if channels in (2, 4):
        numbers[0x0152] = (2,)
    wide = {0x0100, 0x0101, 0x0116}
    return {
        tag: Value(LONG, struct.pack(f"{order}{len(each)}I", *each))
        if tag in wide
        else Value(SHORT, struct.pack(f"{order}{len(each)}H", *each))
        for tag, each in numbers.items()
    }


def _strip(rows: NDArray[Any], order: Literal["<", ">"]) -> bytes:
    """Deflate the differences from pixel to pixel (TIFF 6.0, 14)."""
    import imagecodecs

    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    return bytes(imagecodecs.deflate_encode(differences.astype(rows.dtype.newbyteorder(order)).tobytes(), LEVEL))

"""GIF, read frame by frame: each is laid over what the ones before left, as viewers show it.

Source: GIF89a specification, 23 (disposal); where it names a background colour, viewers clear to nothing.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin

Canvas = NDArray[np.uint8]
CLEAR, BRING_BACK = 2, 3  # what becomes of a frame when its time is over
CONTROL, EXTENSION, IMAGE, END = b"\xf9", b"!", b",", b";"
IDLE = b"\0"  # between blocks, where some programs leave one too many
GREYS = bytes(each for level in range(256) for each in (level, level, level))  # where a file has no colours


class _Part(NamedTuple):
    """One image of a file: a GIF of its own, its place, what becomes of it, and its time in hundredths of a second."""

    data: bytes
    left: int
    top: int
    disposal: int
    time: int


def frames(stream: BinaryIO, limit: int) -> Iterator[tuple[Canvas, float]]:
    """The frames of a file as RGBA (H, W, 4), which the caller must not keep, and the seconds that each is shown.

    Raises:
        EOFError: if the file is cut off.
        ValueError: if a part is larger than ``limit`` pixels.
    """
    head = _exactly(stream, 13)
    width, height, flags = struct.unpack("<HHB", head[6:11])
    table = _exactly(stream, 6 << (flags & 7)) if flags & 128 else GREYS
    canvas = np.zeros((height, width, 4), np.uint8)
    for part in _parts(stream, table, limit):
        drawn = np.asarray(GifImagePlugin.GifImageFile(io.BytesIO(part.data)).convert("RGBA"))
        place = np.s_[part.top : part.top + drawn.shape[0], part.left : part.left + drawn.shape[1]]
        before = canvas[place].copy()
        drawn = drawn[: before.shape[0], : before.shape[1]]
        canvas[place] = np.where(drawn[..., 3:] > 0, drawn, before)
        yield canvas, part.time / 100
        if part.disposal == CLEAR:
            canvas[place] = 0
        elif part.disposal == BRING_BACK:
            canvas[place] = before


def _parts(stream: BinaryIO, table: bytes, limit: int) -> Iterator[_Part]:
    control, is_empty = b"", True
    while (kind := stream.read(1)) not in (END, b""):
        if kind == EXTENSION:
            label, data = _exactly(stream, 1), _blocks(stream)
            if label == CONTROL and len(data) >= 6:
                control = data[1:5]
        elif kind == IMAGE:
            yield _part(stream, table, control or bytes(4), limit)
            control, is_empty = b"", False
        elif kind != IDLE:
            raise ValueError("blocks are out of step")
    if not kind and (control or is_empty):  # many files lack no more than their end, and are shown
        raise EOFError("the file is cut off")


def _part(stream: BinaryIO, table: bytes, control: bytes, limit: int) -> _Part:
    left, top, width, height, flags = struct.unpack("<HHHHB", _exactly(stream, 9))
    if width * height > limit:
        raise ValueError(f"a part has {width} x {height} pixels")
    colours = _exactly(stream, 6 << (flags & 7)) if flags & 128 else table
    size = (len(colours) // 3).bit_length() - 2
    alone = b"GIF89a" + struct.pack("<HHBBB", width, height, 128 | size, 0, 0) + colours
    if control[0] & 1:
        alone += b"!\xf9\x04\x01\0\0" + control[3:4] + b"\0"
    alone += b"," + struct.pack("<HHHHB", 0, 0, width, height, flags & 64)
    data = alone + _exactly(stream, 1) + _blocks(stream) + END
    return _Part(data, left, top, control[0] >> 2 & 7, int.from_bytes(control[1:3], "little"))


def _blocks(stream: BinaryIO) -> bytes:
    """A chain of blocks, the empty one at its end included."""
    chain = bytearray()
    while length := _exactly(stream, 1):
        chain += length
        if length == b"\0":
            break
        chain += _exactly(stream, length[0])
    return bytes(chain)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the file is cut off")
    return data

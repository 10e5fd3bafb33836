"""GIF and WebP as containers of frames that Pillow encodes one by one, so that no film has to fit in memory.

Source: GIF89a specification; RFC 9649 (WebP container, 2.7).
"""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from danqing.core.notes import note
from danqing.core.pictures.writing import settings
from danqing.core.recipe import Recipe

SHORTEST = 2  # hundredths of a second in a GIF; browsers slow down what is shorter
Bytes = NDArray[np.uint8]
Box = tuple[int, int, int, int]


class Shot(NamedTuple):
    """A frame in bytes (H, W, 1-4) from one time to another, in seconds."""

    pixels: Bytes
    start: float
    end: float


def changes(shots: Iterable[Shot], even: bool) -> Iterator[tuple[Shot, Box]]:
    """Shots and the part of each that differs from the one before; those that change nothing lengthen it.

    With transparency every part is taken as a whole. With ``even``, left and top are even numbers.
    """
    before: tuple[Shot, Box] | None = None
    for shot in shots:
        box = (0, 0, shot.pixels.shape[1], shot.pixels.shape[0])
        if before and shot.pixels.shape == before[0].pixels.shape and shot.pixels.shape[2] < 4:
            changed = (shot.pixels != before[0].pixels).any(axis=2)
            if not changed.any():
                before = before[0]._replace(end=shot.end), before[1]
                continue
            rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
            step = 2 if even else 1
            box = (columns[0] // step * step, rows[0] // step * step, columns[-1] + 1, rows[-1] + 1)
        if before:
            yield before
        before = shot, (int(box[0]), int(box[1]), int(box[2]), int(box[3]))
    if before:
        yield before


def _cut(shot: Shot, box: Box) -> Bytes:
    left, top, right, bottom = box
    return np.ascontiguousarray(shot.pixels[top:bottom, left:right])


def write_gif(shots: Iterator[Shot], file: Path, quality: int, recipe: Recipe | None) -> None:
    """Write a GIF; its quality is that of 256 colours a frame."""
    comment = b"" if recipe is None else settings("GIF", recipe)["comment"]
    with file.open("wb") as out:
        shown = 0
        pairs = itertools.pairwise(itertools.chain(changes(shots, even=False), [None]))
        for at, (this, after) in enumerate(pairs):
            assert this is not None
            shot, box = this
            if at == 0:
                height, width = shot.pixels.shape[:2]
                out.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0))
                out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0" + (_blocks(b"!\xfe", comment) if comment else b""))
            time = max(SHORTEST, min(round(shot.end * 100) - shown, 65535))
            shown += time
            clears = after is not None and after[0].pixels.shape[2] == 4  # or its holes would show this one
            _write_gif_frame(out, _cut(shot, box), box, time, clears)
        out.write(b";")


def _blocks(head: bytes, data: bytes) -> bytes:
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)]
    return head + b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def _write_gif_frame(out: BinaryIO, pixels: Bytes, box: Box, time: int, clears: bool) -> None:
    """Write one frame with a palette of its own, as Pillow encodes it."""
    image, has_holes = _with_palette(pixels)
    whole = io.BytesIO()
    image.save(whole, "GIF", optimize=False)
    data = whole.getvalue()
    size = 2 << (data[10] & 7)
    palette, at = data[13 : 13 + 3 * size], 13 + 3 * size
    while data[at : at + 1] == b"!":  # extensions, of which each is a chain of blocks
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    disposal = 2 if clears else 1
    out.write(b"!\xf9\x04" + struct.pack("<BHBB", disposal << 2 | has_holes, time, 255 if has_holes else 0, 0))
    interlaced = data[at + 9] & 64
    out.write(b"," + struct.pack("<HHHHB", *box[:2], *image.size, 128 | interlaced | (data[10] & 7)))
    out.write(palette + data[at + 10 : -1])


def _with_palette(pixels: Bytes) -> tuple[Image.Image, bool]:
    """A picture of 256 colours, and whether the last of them is a hole."""
    if pixels.shape[2] == 1:
        return Image.fromarray(pixels[..., 0]), False
    if pixels.shape[2] == 3:
        return Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE), False
    hidden = pixels[..., 3] < 128
    if ((pixels[..., 3] > 0) & (pixels[..., 3] < 255)).any():
        note("GIF knows no half transparency: pixels are seen or not")
    colours = np.where(hidden[..., None], 0, pixels[..., :3]).astype(np.uint8)
    drawn = Image.fromarray(colours).convert("P", palette=Image.Palette.ADAPTIVE, colors=255)
    places = np.asarray(drawn).copy()
    places[hidden] = 255
    made = Image.fromarray(places)
    made.putpalette((list(drawn.getpalette() or []) + [0] * 768)[:768])
    return made, True


def write_webp(shots: Iterator[Shot], file: Path, quality: int, recipe: Recipe | None) -> None:
    """Write a WebP animation."""
    packet = b"" if recipe is None else settings("WEBP", recipe)["xmp"]
    with file.open("wb") as out:
        out.write(b"RIFF\0\0\0\0WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 10)
        out.write(b"ANIM" + struct.pack("<I", 6) + b"\0" * 6)
        size, has_alpha, shown = (0, 0), False, 0
        for shot, box in changes(shots, even=True):
            size, has_alpha = shot.pixels.shape[1::-1], has_alpha or shot.pixels.shape[2] == 4
            time = max(1, min(round(shot.end * 1000) - shown, 2**24 - 1))
            shown += time
            out.write(_webp_frame(_cut(shot, box), box, time, quality))
        if packet:
            out.write(_riff(b"XMP ", packet))
        end = out.tell()
        out.seek(4)
        out.write(struct.pack("<I", end - 8))
        out.seek(20)
        flags = 2 | (4 if packet else 0) | (16 if has_alpha else 0)
        out.write(bytes([flags, 0, 0, 0]) + _three(size[0] - 1) + _three(size[1] - 1))


def _webp_frame(pixels: Bytes, box: Box, time: int, quality: int) -> bytes:
    """One frame that replaces its part of the picture, as Pillow encodes it."""
    whole = io.BytesIO()
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.save(whole, "WEBP", quality=quality, lossless=quality == 100, exact=True)
    data, at, kept = whole.getvalue(), 12, b""
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 4)[0]
        end = at + 8 + length + length % 2
        if data[at : at + 4] in (b"ALPH", b"VP8 ", b"VP8L"):
            kept += data[at:end]
        at = end
    numbers = (box[0] // 2, box[1] // 2, image.width - 1, image.height - 1, time)
    return _riff(b"ANMF", b"".join(map(_three, numbers)) + b"\x02" + kept)  # 2: not blended with what was there


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


__all__ = ["Shot", "write_gif", "write_webp"]

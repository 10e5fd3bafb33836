"""APNG, read frame by frame: each is laid over what the ones before left, at the depth of the file.

Source: PNG specification, third edition, 11.3.6 (animation) and 4.7 (an image before the frames that is none of them).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from danqing.core.pictures import png
from danqing.core.pictures.icc_profile import Floats
from danqing.core.pictures.samples import Samples

CLEAR, BRING_BACK = 1, 2  # what becomes of a frame when its time is over
OVER = 1  # of the ways to lay a frame on what is there: 0 replaces it


class _Part(NamedTuple):
    """One frame of a file: a PNG of its own, its place, what becomes of it, how it is laid, and its time in seconds."""

    data: bytes
    left: int
    top: int
    disposal: int
    blend: int
    seconds: float


def frames(
    stream: BinaryIO, size: tuple[int, int], decode: Callable[[BinaryIO], Samples]
) -> Iterator[tuple[Samples, float]]:
    """The frames of a file, whole, which the caller must not keep, and the seconds that each is shown.

    Args:
        stream: the file, or the part of it that is about pixels and frames.
        size: height and width of the whole.
        decode: what makes samples of a PNG.

    Raises:
        EOFError: if the file is cut off.
        ValueError: if it is damaged.
    """
    canvas: Floats | None = None
    for part in _parts(stream, size):
        samples = decode(io.BytesIO(part.data))
        height, width, colours = samples.pixels.shape
        alpha = np.ones((height, width, 1), np.float32) if samples.alpha is None else samples.alpha
        drawn = np.concatenate([samples.pixels, alpha], axis=-1)
        is_first = canvas is None
        canvas = np.zeros((*size, colours + 1), np.float32) if canvas is None else canvas
        place = np.s_[part.top : part.top + height, part.left : part.left + width]
        before = canvas[place].copy()
        canvas[place] = _over(drawn, before) if part.blend == OVER and not is_first else drawn
        is_opaque = samples.alpha is None and bool((canvas[..., -1] == 1).all())
        yield samples._replace(pixels=canvas[..., :-1], alpha=None if is_opaque else canvas[..., -1:]), part.seconds
        if part.disposal == CLEAR:
            canvas[place] = 0
        elif part.disposal == BRING_BACK:
            canvas[place] = before


def _over(drawn: Floats, before: Floats) -> Floats:
    """Lay colours with their opacity (H, W, C + 1) over others; what shows nothing changes nothing."""
    alpha = drawn[..., -1:]
    below = before[..., -1:] * (1 - alpha)
    whole = alpha + below
    colours = (drawn[..., :-1] * alpha + before[..., :-1] * below) / np.maximum(whole, np.finfo(np.float32).tiny)
    return np.where(alpha == 0, before, np.concatenate([colours, whole], axis=-1))


def _parts(stream: BinaryIO, size: tuple[int, int]) -> Iterator[_Part]:
    head, shared, control, pixels = b"", b"", b"", bytearray()
    for kind, _, length in png.walk(stream):
        if kind == b"IDAT" and not control:
            continue  # a picture for viewers that know no animations
        if kind in (b"fcTL", b"IEND") and control:
            yield _part(control, head, shared, pixels, size)
        data = _whole(stream, kind, length)
        if kind == b"IHDR":
            head = data[8:]
        elif kind in (b"fcTL", b"IEND"):
            control, pixels = data if kind == b"fcTL" else b"", bytearray()
        elif kind in (b"IDAT", b"fdAT"):
            pixels += png.chunk(b"IDAT", data[4:] if kind == b"fdAT" else data)
        elif kind in png.PIXELS or not kind[:1].islower():
            shared += png.chunk(kind, data)
    if control:  # it lacks its end
        yield _part(control, head, shared, pixels, size)


def _part(control: bytes, head: bytes, shared: bytes, pixels: bytearray, size: tuple[int, int]) -> _Part:
    _, width, height, left, top, above, below, disposal, blend = struct.unpack(">5I2H2B", control)
    if not (0 < width <= size[1] - left and 0 < height <= size[0] - top) or not pixels:
        raise ValueError("a frame has no pixels, or lies outside the picture")
    header = png.chunk(b"IHDR", struct.pack(">II", width, height) + head)
    data = png.SIGNATURE + header + shared + pixels + png.chunk(b"IEND", b"")
    return _Part(data, left, top, disposal, blend, above / (below or 100))


def _whole(stream: BinaryIO, kind: bytes, length: int) -> bytes:
    start = stream.tell()
    if start + length + 4 > stream.seek(0, io.SEEK_END):
        raise EOFError("the file is cut off")
    stream.seek(start)
    data = png.sound(stream, kind, length)
    if data is None:
        raise ValueError("a broken checksum")
    return data

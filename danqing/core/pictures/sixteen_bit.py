"""Sixteen bits a channel in colour, which Pillow's pictures cannot hold: read in two passes, written piece by piece."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffTags
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from danqing.core.pictures.header import opened
from danqing.core.pictures.recipe_chunk import XMP_TAG

Words = NDArray[np.uint16]
Bytes = NDArray[np.uint8]
EXTRA_SAMPLES = 338
BAND = 64  # rows filtered at a time, so that memory stays small


def raw_mode(picture: ImageFile.ImageFile) -> str:
    """How a file lays out 16-bit colour, as Pillow's raw mode such as ``RGB;16B``; empty for every other picture."""
    args = picture.tile[0].args if picture.tile else None
    raw = args[0] if isinstance(args, tuple) else args
    is_deep = isinstance(raw, str) and raw.partition(";")[2] in ("16B", "16L", "16N")
    return str(raw) if is_deep and picture.mode in ("RGB", "RGBA") else ""


def words(file: str | Path, limit: int | None, raw: str) -> Words:
    """Decode 16-bit colour (H, W, C); C is 2 for grey with alpha.

    Pillow keeps one byte of each sample. Told that the bytes are in the other order, it keeps the other one.
    """
    kind, _, order = raw.partition(";")
    if kind == "LA":  # a grey sample and its opacity are the same four bytes as one pixel of RGBA
        return _decoded(file, limit, "RGBA").view(">u2").astype(np.uint16)
    order = order[-1].replace("N", "L" if sys.byteorder == "little" else "B")
    kind = kind.replace("a", "A")  # not divided by the opacity yet: that needs both bytes
    high, low = (_decoded(file, limit, f"{kind};16{each}") for each in (order, "BL"[order == "B"]))
    both: Words = np.bitwise_or(high.astype(np.uint16) << np.uint16(8), low, dtype=np.uint16)
    return both


def _decoded(file: str | Path, limit: int | None, raw: str) -> Bytes:
    with opened(file, limit) as picture:
        picture._mode = "RGBA" if raw == "RGBA" else picture.mode
        picture.tile = [
            tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw) for tile in picture.tile
        ]
        return np.array(picture)


def png(pixels: Words | Bytes, exif: bytes | None, text: bytes | None) -> Iterator[bytes]:
    """Write 16-bit channels (H, W, 1-4) as the pieces of a PNG.

    Args:
        pixels: grey, grey and alpha, RGB, or RGBA.
        exif: the EXIF block.
        text: the content of an iTXt chunk, keyword included.

    Source: PNG specification, third edition, 5 (chunks), 9 (filtering), 11 (the chunks).
    """
    height, width, channels = pixels.shape
    yield b"\x89PNG\r\n\x1a\n"
    yield _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0))
    if text is not None:
        yield _chunk(b"iTXt", text)
    if exif:
        yield _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    squeeze = zlib.compressobj(4)
    above = np.zeros((1, width * channels * 2), np.uint8)
    for top in range(0, height, BAND):
        band = np.ascontiguousarray(pixels[top : top + BAND], ">u2")
        rows = band.reshape(-1, width * channels).view(np.uint8)
        yield _chunk(b"IDAT", squeeze.compress(_filtered(rows, above, 2 * channels)))
        above = rows[-1:]
    yield _chunk(b"IDAT", squeeze.flush())
    yield _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _filtered(rows: Bytes, above: Bytes, step: int) -> bytes:
    """Give each row the filter that leaves the smallest residues."""
    up = np.concatenate([above, rows[:-1]])
    left, corner = (np.pad(each, ((0, 0), (step, 0)))[:, :-step] for each in (rows, up))
    guesses = np.stack([np.zeros_like(rows), left, up, _paeth(left, up, corner)])
    residues = rows - guesses
    best = np.abs(residues.view(np.int8).astype(np.int16)).sum(2).argmin(0)
    kinds = np.array([0, 1, 2, 4], np.uint8)[best]
    return np.concatenate([kinds[:, None], residues[best, np.arange(len(rows))]], 1).tobytes()


def _paeth(left: Bytes, up: Bytes, corner: Bytes) -> Bytes:
    a, b, c = (each.astype(np.int16) for each in (left, up, corner))
    to_left, to_up, to_corner = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    by_up = np.where(to_up <= to_corner, b, c)
    return np.where((to_left <= to_up) & (to_left <= to_corner), a, by_up).astype(np.uint8)


def tiff(pixels: Words | Bytes, exif: Image.Exif, packet: bytes | None) -> Iterator[bytes]:
    """Write 8- or 16-bit channels (H, W, 1-4) as the pieces of a TIFF: one deflated strip.

    Args:
        pixels: grey, grey and alpha, RGB, or RGBA.
        exif: descriptive tags to write beside the picture's own.
        packet: an XMP packet.

    Source: TIFF 6.0, 2 and 8; Adobe Photoshop TIFF Technical Notes (deflate, ExtraSamples 2: unassociated alpha).
    """
    height, width, channels = pixels.shape
    data = zlib.compress(pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(), 6)
    ifd = ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
    for tag, value in exif.items():
        ifd[tag] = exif.get_ifd(tag) if tag in (IFD.Exif, IFD.GPSInfo) else value
    ifd[Base.ImageWidth], ifd[Base.ImageLength] = width, height
    ifd[Base.BitsPerSample] = (8 * pixels.itemsize,) * channels
    ifd[Base.Compression] = 8
    ifd[Base.PhotometricInterpretation] = 1 if channels < 3 else 2
    ifd[Base.SamplesPerPixel], ifd[Base.RowsPerStrip] = channels, height
    ifd[Base.PlanarConfiguration] = 1
    ifd[Base.StripOffsets], ifd[Base.StripByteCounts] = 0, len(data)  # the offset counts from the directory's end
    if channels in (2, 4):
        ifd[EXTRA_SAMPLES] = 2
    if packet is not None:
        ifd.tagtype[XMP_TAG] = TiffTags.BYTE
        ifd[XMP_TAG] = packet
    yield b"II*\0\x08\0\0\0"
    yield ifd.tobytes(8)
    yield data

"""AVIF, as far as Pillow does not tell: bits a channel, coded colours, and the pixels of pictures of more than 8 bits.

Source: ISO/IEC 14496-12 (boxes, tracks, colr), 23008-12 (items and their properties, pixi); AV1 in ISOBMFF, 2.3 (av1C).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint16]
ENTRY = 78  # bytes of a visual sample entry before its boxes
CODED = b"colrnclx"


def properties(stream: BinaryIO) -> dict[bytes, bytes]:
    """The properties of the picture that is shown, by kind (``colr`` with its type); empty where they are broken."""
    stream.seek(0)
    whole = memoryview(stream.read())
    try:
        of_item, of_track = _of_item(_within(whole, b"meta")[4:]), _of_track(_within(whole, b"moov"))
    except (struct.error, IndexError):
        return {}
    return of_item or of_track if bytes(_within(whole, b"ftyp")[:4]) == b"avif" else of_track or of_item


def bits(stream: BinaryIO) -> int:
    """Bits a channel; 8 where the file does not say."""
    found = properties(stream)
    if len(flags := found.get(b"av1C", b"")) >= 4:
        return (12 if flags[2] & 32 else 10) if flags[2] & 64 else 8
    depths = found.get(b"pixi", b"")
    return depths[5] if len(depths) > 5 else 8


def code(stream: BinaryIO) -> tuple[int, int] | None:
    """The code points of its primaries and of its transfer function; None where there are none."""
    data = properties(stream).get(CODED, b"")
    return struct.unpack_from(">HH", data, 4) if len(data) >= 8 else None


def deep(stream: BinaryIO, size: tuple[int, int]) -> Words | None:
    """Decode a single picture (H, W, 1, 3 or 4) of more than 8 bits; None where that cannot be done.

    Never of several frames: imagecodecs up to 2026.3.6 then writes where it must not.
    """
    import imagecodecs

    stream.seek(0)
    try:
        words: Words = imagecodecs.avif_decode(stream.read())
    except imagecodecs.AvifError:
        return None
    if words.dtype != np.uint16 or words.shape[:2] != size:
        return None
    words = words.reshape(*size, -1)
    return words[..., [0, 0, 0, 1]] if words.shape[-1] == 2 else words  # as Pillow has grey with opacity


def without_exif(data: bytes) -> bytes:
    """The file with its EXIF called free space."""
    return re.sub(rb"(infe.{8})Exif", rb"\1free", data, flags=re.DOTALL)


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 16 if length == 1 else 8
        if length == 1:
            length = struct.unpack_from(">Q", data, at + 8)[0]
        end = at + length if length else len(data)
        if end < at + head:
            return
        yield kind, data[at + head : end]
        at = end


def _within(data: memoryview, *path: bytes) -> memoryview:
    for kind in path:
        data = next((inside for name, inside in _boxes(data) if name == kind), data[:0])
    return data


def _by_kind(boxes: list[tuple[bytes, memoryview]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for kind, data in boxes:
        found.setdefault(kind + bytes(data[:4]) if kind == b"colr" else kind, bytes(data))
    return found


def _of_item(meta: memoryview) -> dict[bytes, bytes]:
    """The properties of the primary item; what a grid does not say, its tiles do."""
    main = _within(meta, b"pitm")
    if not main:
        return {}
    wanted = int.from_bytes(main[4:6] if main[0] == 0 else main[4:8], "big")
    every = list(_boxes(_within(meta, b"iprp", b"ipco")))
    places = _places(_within(meta, b"iprp", b"ipma"), wanted)
    found = _by_kind([every[place - 1] for place in places if 0 < place <= len(every)])
    tiles = _by_kind(every)
    return (
        found if b"av1C" in found or b"pixi" in found else {key: tiles[key] for key in tiles if key == b"av1C"} | found
    )


def _places(table: memoryview, wanted: int) -> list[int]:
    """Where the properties of an item stand among all, from 1."""
    wide, long = table[0] > 0, table[3] & 1
    at = 8
    for _ in range(struct.unpack_from(">I", table, 4)[0]):
        item, count = struct.unpack_from(">IB" if wide else ">HB", table, at)
        at += 5 if wide else 3
        if item == wanted:
            return [
                each & (0x7FFF if long else 0x7F)
                for each in struct.unpack_from(f">{count}{'H' if long else 'B'}", table, at)
            ]
        at += count * (2 if long else 1)
    return []


def _of_track(film: memoryview) -> dict[bytes, bytes]:
    """What the first track of pictures says; that of its opacity is of another kind."""
    for kind, track in _boxes(film):
        if kind == b"trak" and bytes(_within(track, b"mdia", b"hdlr")[8:12]) == b"pict":
            entry = _within(_within(track, b"mdia", b"minf", b"stbl", b"stsd")[8:], b"av01")
            return _by_kind(list(_boxes(entry[ENTRY:])))
    return {}

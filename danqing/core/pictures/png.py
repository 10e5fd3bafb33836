"""PNG, chunk by chunk: the pixels' chunks for a decoder, and what the other chunks say; needs no torch.

A decoder is only shown what decides about the pixels, so that no text, profile or EXIF block, however long or broken,
can cost the picture. Source: PNG specification, third edition, 5 (chunks) and 11 (the chunks).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint16]
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
FRAMES = frozenset({b"acTL", b"fcTL", b"fdAT"})
FACTS = frozenset({b"acTL", b"cHRM", b"cICP", b"eXIf", b"gAMA", b"iCCP", b"pHYs", b"sRGB"})
TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
LONGEST = 16 << 20  # bytes of a text, profile or EXIF block that is looked at
LEVEL = 4  # of compression: as small as the usual 6, in less time


class Chunks(NamedTuple):
    """A PNG taken apart.

    Attributes:
        pixels: the file as a decoder is to see it.
        facts: contents of the chunks that say how the pixels are meant, by kind.
        texts: texts by keyword.
        passed_over: what was too long to be looked at.
    """

    pixels: BinaryIO
    facts: dict[bytes, bytes]
    texts: dict[str, str]
    passed_over: list[str]


def chunks(stream: BinaryIO, shown: frozenset[bytes] = PIXELS) -> Chunks:
    """Take a PNG apart without decoding it; one that is cut off or damaged is left to the decoder's judgement.

    Args:
        stream: the file, at its beginning.
        shown: the kinds of chunks that a decoder is to see.
    """
    facts: dict[bytes, bytes] = {}
    texts: dict[str, str] = {}
    passed_over: list[str] = []
    pieces = [(0, len(SIGNATURE))]
    for kind, start, length in walk(stream):
        end = start + 12 + length
        if kind in shown or not kind[:1].islower():  # what is not in lower case must be understood
            pieces = [*pieces[:-1], (pieces[-1][0], end)] if pieces[-1][1] == start else [*pieces, (start, end)]
        if kind not in FACTS | TEXTS:
            continue
        if length > LONGEST:
            passed_over.append(f"its {kind.decode()} chunk of {length:,} bytes")
        elif (data := sound(stream, kind, length)) is None:
            continue
        elif kind in TEXTS:
            _keep_text(kind, data, texts, passed_over)
        else:
            facts.setdefault(kind, data)
    whole = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    is_plain = len(pieces) == 1 and pieces[0][1] >= whole
    return Chunks(stream if is_plain else io.BufferedReader(_Spliced(stream, pieces)), facts, texts, passed_over)


def walk(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The kind, place and length of each chunk; the stream stands at its contents."""
    start = len(SIGNATURE)
    while len(head := _read_at(stream, start, 8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if not kind.isalpha():
            length = 1 << 40  # not in step any more: the rest goes to the decoder as it is
            kind = b"IDAT"
        yield kind, start, length
        if kind == b"IEND":
            return
        start += 12 + length


def _read_at(stream: BinaryIO, start: int, count: int) -> bytes:
    stream.seek(start)
    return stream.read(count)


def sound(stream: BinaryIO, kind: bytes, length: int) -> bytes | None:
    """The contents of the chunk at hand if they are whole."""
    data, crc = stream.read(length), stream.read(4)
    return data if crc == struct.pack(">I", zlib.crc32(kind + data)) else None


def _keep_text(kind: bytes, data: bytes, texts: dict[str, str], passed_over: list[str]) -> None:
    keyword, _, rest = data.partition(b"\0")
    name = keyword.decode("latin-1")
    packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\x01")
    if kind == b"iTXt":
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind the language and the keyword in it
    elif packed:
        rest = rest[1:]
    plain = unpacked(rest) if packed else rest
    if plain is None:
        passed_over.append(f"its text {name!r}")
    else:
        texts.setdefault(name, plain.decode("utf-8", "replace") if kind == b"iTXt" else plain.decode("latin-1"))


def unpacked(data: bytes) -> bytes | None:
    """Inflate a text or a profile; None if it is broken or unpacks to far too much."""
    squeezed = zlib.decompressobj()
    try:
        plain = squeezed.decompress(data, LONGEST)
    except zlib.error:
        return None
    return plain if squeezed.eof else None


def profile(facts: dict[bytes, bytes]) -> bytes | None:
    """The colour profile in an iCCP chunk; empty if it is broken."""
    return None if b"iCCP" not in facts else unpacked(facts[b"iCCP"].partition(b"\0")[2][1:]) or b""


def raw_profile(texts: dict[str, str], name: str) -> bytes:
    """A block that ImageMagick wrote as hexadecimal text; empty if there is none."""
    lines = next((text for key, text in texts.items() if key == f"Raw profile type {name}"), "").split("\n")
    try:
        return bytes.fromhex("".join(lines[3:]))
    except ValueError:
        return b""


def bits(pixels: BinaryIO) -> int:
    """Bits a channel; in a palette they are 8."""
    depth, kind = _read_at(pixels, 24, 2)
    return 8 if kind == 3 else depth


def deep(pixels: BinaryIO) -> Words:
    """Decode 16-bit channels (H, W, 1-4); a colour that means transparent has become opacity."""
    import imagecodecs

    pixels.seek(0)
    words: Words = imagecodecs.png_decode(pixels.read())
    return words.reshape(*words.shape[:2], -1)


def write_deep(pixels: NDArray[Any], more: bytes) -> bytes:
    """Encode 16-bit channels (H, W, 1-4), with more chunks behind the header."""
    import imagecodecs

    data = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=LEVEL))
    header = len(SIGNATURE) + 25
    return data[:header] + more + data[header:]


def chunk(kind: bytes, data: bytes) -> bytes:
    """Write one chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_chunk(keyword: str, text: str) -> bytes:
    """Write a text as UTF-8 (iTXt)."""
    return chunk(b"iTXt", keyword.encode("latin-1", "replace") + b"\0" * 5 + text.encode("utf-8", "replace"))


def resolution_chunk(resolution: tuple[float, float]) -> bytes:
    """Write dots per inch, across and down (pHYs)."""
    across, down = (min(round(each / 0.0254), 2**31 - 1) for each in resolution)
    return chunk(b"pHYs", struct.pack(">IIB", across, down, 1))


class _Spliced(io.RawIOBase):
    """Pieces of a file, read as if they were the whole file."""

    def __init__(self, stream: BinaryIO, pieces: list[tuple[int, int]]) -> None:
        self.stream, self.pieces, self.at = stream, pieces, 0
        self.ends = np.cumsum([end - start for start, end in pieces]).tolist()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.ends[-1]}[whence]
        self.at = max(0, base + offset)
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        which = int(np.searchsorted(self.ends, self.at, side="right"))
        if which == len(self.pieces):
            return 0
        left = self.ends[which] - self.at
        data = _read_at(self.stream, self.pieces[which][1] - left, min(left, len(buffer)))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)

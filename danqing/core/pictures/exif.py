"""EXIF blocks: read as far as they are sound, kept without the thumbnail, written anew; needs no torch.

What is broken in a block is left out; it never costs the picture. Source: EXIF 2.32, 4.6; TIFF 6.0, 2.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import BinaryIO, Literal, NamedTuple

HEAD = b"Exif\0\0"
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes by type
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5
MAIN, CAMERA, GPS, INTEROP = "main", "camera", "gps", "interoperability"
POINTERS = {MAIN: {0x8769: CAMERA, 0x8825: GPS}, CAMERA: {0xA005: INTEROP}}
# What is said of the scene, the camera and the people; a TIFF keeps it among tags that describe its own layout.
DESCRIPTIVE = frozenset(
    {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x4746, 0x4749, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F}
)
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
COLOUR_SPACE, MAKER_NOTE = 0xA001, 0x927C
PER_INCH = {2: 1.0, 3: 2.54}  # by unit: inches in it
LONGEST = 16 << 20  # bytes of one value


class Value(NamedTuple):
    """The bytes of a tag, and how they are to be read."""

    kind: int
    data: bytes


class Exif:
    """The tags of a block by directory, values in the block's own byte order.

    Attributes:
        order: ``<`` or ``>``.
        tags: of each directory, the values by tag.
        is_sound: whether everything could be read.
    """

    def __init__(self, order: Literal["<", ">"] = ">") -> None:
        self.order: Literal["<", ">"] = order
        self.tags: dict[str, dict[int, Value]] = {MAIN: {}}
        self.is_sound = True

    def number(self, tag: int, directory: str = MAIN) -> float | None:
        """The first number of a tag."""
        kind, data = self.tags.get(directory, {}).get(tag, Value(0, b""))
        try:
            if kind == RATIONAL:
                above, below = struct.unpack_from(f"{self.order}II", data)
                return float(Fraction(above, below))
            return float(struct.unpack_from(self.order + {1: "B", SHORT: "H", LONG: "I"}[kind], data)[0])
        except (struct.error, KeyError, ZeroDivisionError):
            return None

    def text(self, tag: int, directory: str = MAIN) -> str:
        """The text of a tag, as far as it is one; empty where there is none. Many cameras write UTF-8 as ASCII."""
        kind, data = self.tags.get(directory, {}).get(tag, Value(0, b""))
        return data.split(b"\0")[0].decode("utf-8", "replace").strip() if kind == ASCII else ""

    def put(self, tag: int, value: float, kind: int = SHORT, directory: str = MAIN) -> None:
        """Set a tag to one number."""
        if kind == RATIONAL:
            exact = Fraction(value).limit_denominator(10_000)
            data = struct.pack(f"{self.order}II", exact.numerator, exact.denominator)
        else:
            data = struct.pack(self.order + {SHORT: "H", LONG: "I"}[kind], int(value))
        self.tags.setdefault(directory, {})[tag] = Value(kind, data)

    def resolution(self) -> tuple[float, float] | None:
        """Dots per inch, across and down."""
        across, down = self.number(X_RESOLUTION), self.number(Y_RESOLUTION)
        inches = PER_INCH.get(int(self.number(RESOLUTION_UNIT) or 2))
        return (across * inches, down * inches) if across and down and inches else None

    def put_resolution(self, resolution: tuple[float, float]) -> None:
        """Set the dots per inch, across and down."""
        self.put(X_RESOLUTION, resolution[0], RATIONAL)
        self.put(Y_RESOLUTION, resolution[1], RATIONAL)
        self.put(RESOLUTION_UNIT, 2)

    def says_something(self) -> bool:
        """Whether anything would be lost without it: more than the layout of the pixels."""
        layout = {ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, 0x0213}
        return any(self.tags[name].keys() - layout for name in self.tags)

    def tobytes(self) -> bytes:
        """The block as it stands in a JPEG, head included."""
        body = bytearray((b"II*\0" if self.order == "<" else b"MM\0*") + struct.pack(f"{self.order}I", 8))
        self.lay_out(MAIN, body)
        return HEAD + bytes(body)

    def lay_out(self, name: str, body: bytearray, base: int = 0) -> None:
        """Append a directory and those below it to a file in the making, of which ``body`` begins at ``base``."""
        tags = dict(self.tags[name])
        below = {tag: child for tag, child in POINTERS.get(name, {}).items() if self.tags.get(child)}
        tags.update({tag: Value(LONG, b"\0" * 4) for tag in below})
        start, order = len(body), self.order
        body += struct.pack(f"{order}H", len(tags)) + b"\0" * (12 * len(tags) + 4)
        for at, (tag, (kind, data)) in enumerate(sorted(tags.items())):
            field = data.ljust(4, b"\0")
            if tag in below or len(data) > 4:
                body += b"\0" * (len(body) % 2)
                field = struct.pack(f"{order}I", base + len(body))
                if tag in below:
                    self.lay_out(below[tag], body, base)
                else:
                    body += data
            entry = struct.pack(f"{order}HHI", tag, kind, len(data) // SIZES[kind]) + field
            body[start + 2 + 12 * at : start + 14 + 12 * at] = entry


def parse(block: bytes) -> Exif:
    """Read a block, with or without its head, as far as it is sound."""
    import io

    while block.startswith(HEAD):
        block = block[len(HEAD) :]
    return read_from(io.BytesIO(block))


def read_from(stream: BinaryIO, place: int | None = None) -> Exif:
    """Read the directories of a TIFF file, or of an EXIF block, which is laid out like one.

    Args:
        stream: the file.
        place: of the directory; None: of the first.
    """
    stream.seek(0)
    head = stream.read(8)
    orders: dict[bytes, Literal["<", ">"]] = {b"II*\0": "<", b"MM\0*": ">"}
    order = orders.get(head[:4])
    exif = Exif(order or ">")
    if order is None or len(head) < 8:
        exif.is_sound = False
        return exif
    _read_directory(stream, exif, MAIN, struct.unpack(f"{order}I", head[4:])[0] if place is None else place)
    return exif


def _read_directory(stream: BinaryIO, exif: Exif, name: str, place: int) -> None:
    order, tags = exif.order, exif.tags.setdefault(name, {})
    stream.seek(place)
    head = stream.read(2)
    count = struct.unpack(f"{order}H", head)[0] if len(head) == 2 else 0
    table = stream.read(12 * count)
    exif.is_sound &= len(head) == 2 and len(table) == 12 * count
    for tag, kind, number, field in struct.iter_unpack(f"{order}HHI4s", table[: len(table) // 12 * 12]):
        size = number * SIZES.get(kind, 0)
        data = field[:size] if size <= 4 else _value(stream, struct.unpack(f"{order}I", field)[0], size)
        child = POINTERS.get(name, {}).get(tag)
        if child and len(data) == 4 and child not in exif.tags:
            _read_directory(stream, exif, child, struct.unpack(f"{order}I", field)[0])
        elif data and not child:
            tags.setdefault(tag, Value(kind, data))
        else:
            exif.is_sound = False


def _value(stream: BinaryIO, place: int, size: int) -> bytes:
    if size > LONGEST:
        return b""
    stream.seek(place)
    data = stream.read(size)
    return data if len(data) == size else b""

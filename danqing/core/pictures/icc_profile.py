"""What stands in a colour profile: its tags, primaries and tone curves (ICC.1:2022)."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Convert = Callable[[Floats], Floats]


def tags(icc: bytes) -> dict[str, bytes]:
    """Read the tag table (ICC.1:2022, 7.3).

    Raises:
        ValueError: if it is damaged.
    """
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise ValueError("it is no ICC profile")
    count = struct.unpack_from(">I", icc, 128)[0]
    table = icc[132 : 132 + 12 * count]
    if count > 1000 or len(table) < 12 * count:
        raise ValueError("its table is damaged")
    return {
        name.decode("latin-1"): icc[offset : offset + size] for name, offset, size in struct.iter_unpack(">4sII", table)
    }


def xyz(tag: bytes) -> NDArray[np.float64]:
    """Read the colour of a primary.

    Raises:
        ValueError: if it is damaged.
    """
    try:
        return np.array(struct.unpack(">3i", tag[8:20])) / 65536
    except struct.error as error:
        raise ValueError("its primaries are damaged") from error


def curve(tag: bytes) -> Convert:
    """Read a tone curve (curveType, parametricCurveType: ICC.1:2022, 10.6 and 10.18).

    Raises:
        ValueError: if it is damaged, or of an unknown type.
    """
    try:
        if tag[:4] == b"curv":
            count = struct.unpack_from(">I", tag, 8)[0]
            return _table(np.frombuffer(tag, ">u2", count, 12).astype(np.float32))
        kind = struct.unpack_from(">H", tag, 8)[0]
        if tag[:4] != b"para" or kind > 4:
            raise ValueError("its tone curve is of an unknown type")
        numbers = np.array(struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)) / 65536
    except struct.error as error:
        raise ValueError("its tone curve is damaged") from error
    g, *rest = numbers.tolist()
    a, b, c, d, e, f = _seven(kind, rest)
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f).astype(np.float32)


def _table(values: Floats) -> Convert:
    if len(values) == 0:
        return lambda x: x
    if len(values) == 1:
        return lambda x: x ** np.float32(values[0] / 256)
    places = np.linspace(0, 1, len(values))
    return lambda x: np.interp(x, places, values / 65535).astype(np.float32)


def _seven(kind: int, rest: list[float]) -> tuple[float, ...]:
    """Bring the five kinds of parametric curve to the longest: (ax + b)^g + e from d on, cx + f below."""
    if kind == 0:
        return 1, 0, 0, 0, 0, 0
    a, b = rest[:2]
    if a == 0:
        raise ValueError("its tone curve is damaged")
    if kind < 3:
        constant = rest[2] if kind == 2 else 0.0
        return a, b, 0, -b / a, constant, constant
    c, d = rest[2:4]
    return a, b, c, d, *(rest[4:6] if kind == 4 else (0.0, 0.0))

"""Pictures, profiles and chunks made by hand, and what the tests ask of them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing.core.errors import PictureError
from danqing.core.pictures.reading import read
from danqing.core.recipe import Recipe, Step

SUFFIXES = ("png", "jpg", "webp", "tif", "bmp", "gif", "avif")
RECIPE: Recipe = [
    Step("median", {"radius": 2, "words": "<é & 🐼>\n"}, [{"as": "x", "path": "a b\udc80.png", "sha256": "0" * 64}])
]


def noise(channels: int = 3, height: int = 9, width: int = 13, depth: int = 8, seed: int = 0) -> Tensor:
    top = 2**depth - 1
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, top + 1, (1, channels, height, width), generator=rng).float() / top


def smooth(height: int = 40, width: int = 48) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([x, y, (x + y) / 2])[None]


def refusal(file: Path, **options: Any) -> str:
    with pytest.raises(PictureError) as caught:
        read(file, **options)
    assert caught.value.where == str(file)
    assert caught.value.exit_code == 2
    return caught.value.what


def error_between(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return float((a - b).abs().max())


def profile(gamma: float = 563 / 256, primaries: str = "adobe", kind: bytes = b"curv", table: int = 0) -> bytes:
    """Build an ICC profile by hand: the primaries of Adobe RGB (1998) or of sRGB, adapted to D50, and a gamma."""
    columns = {
        "adobe": [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)],
        "srgb": [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)],
        "grey": [],
    }[primaries]
    fixed = lambda value: struct.pack(">i", round(value * 65536))  # noqa: E731
    if table:
        levels = (np.linspace(0, 1, table) ** gamma * 65535).round().astype(">u2")
        curve = b"curv\0\0\0\0" + struct.pack(">I", table) + levels.tobytes()
    elif kind == b"curv":
        curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    else:
        srgb = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + b"".join(map(fixed, srgb))
    xyz = lambda values: b"XYZ \0\0\0\0" + b"".join(map(fixed, values))  # noqa: E731
    tags = {b"wtpt": xyz((0.9642, 1, 0.8249))}
    if primaries == "grey":
        tags[b"kTRC"] = curve
    for name, column in zip((b"r", b"g", b"b"), columns, strict=False):
        tags |= {name + b"XYZ": xyz(column), name + b"TRC": curve}
    offset, directory, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        directory += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    space = b"GRAY" if primaries == "grey" else b"RGB "
    head = b"\0" * 4 + b"\x02\x40\0\0" + b"mntr" + space + b"XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28
    head += b"".join(map(fixed, (0.9642, 1, 0.8249)))
    whole = head.ljust(124, b"\0") + struct.pack(">I", len(tags)) + directory + body
    return struct.pack(">I", len(whole) + 4) + whole


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(file: Path, *chunks: bytes) -> Path:
    """Put chunks behind the header of a PNG."""
    data = file.read_bytes()
    file.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return file

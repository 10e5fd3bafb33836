"""Odd picture files, and a cache folder of their own for these tests."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DANQING_CACHE", str(folder))
    return folder


@pytest.fixture
def paint(tmp_path: Path) -> Paint:
    """Write a picture of seeded noise: ``paint("folder/name.png", seed=3, size=(40, 30), mode="L")``."""

    def write(name: str, seed: int = 0, size: tuple[int, int] = (24, 20), mode: str = "RGB", **options: Any) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode).save(file, **options)
        return file

    return write


def png_bomb(side: int) -> bytes:
    """A black PNG of side × side pixels that takes a few kilobytes on disk."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    rows = packer.compress(bytes((side + 7) // 8 + 1) * side) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def odd_files(tmp_path: Path, paint: Paint) -> tuple[Path, set[str]]:
    """A folder of good pictures in many shapes and modes with strange names, and the names of those that are bad."""
    folder = tmp_path / "odd ones"
    paint("odd ones/grey.png", 1, mode="L")
    paint("odd ones/one bit.png", 2, mode="1")
    paint("odd ones/palette.gif", 3, mode="P")
    paint("odd ones/cmyk.jpg", 4, size=(50, 20), mode="CMYK")
    paint("odd ones/😀 smile.png", 5, size=(20, 70), mode="RGBA")
    paint("odd ones/new\nline.PNG", 6, size=(1, 1))
    paint("odd ones/deep/er/x.tiff", 7)
    (folder / "text.png").write_text("no picture at all")
    (folder / "empty.jpg").touch()
    whole = paint("odd ones/cut.png", 8).read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "bomb.png").write_bytes(png_bomb(30_000))
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "notes.txt").write_text("not counted")
    (folder / ".hidden.png").write_text("not counted")
    return folder, {"text.png", "empty.jpg", "cut.png", "bomb.png", "nowhere.png"}

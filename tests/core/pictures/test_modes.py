"""Every mode and depth means what it says."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sketches import SUFFIXES, error_between, refusal

from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")


def test_one_bit_and_one_pixel(tmp_path: Path) -> None:
    for value in (0, 1):
        Image.new("1", (1, 1), value).save(tmp_path / "x.png")
        assert read(tmp_path / "x.png").pixels.tolist() == [[[[float(value)]]]]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_pixel_in_every_format(tmp_path: Path, suffix: str) -> None:
    assert read(write(torch.ones(1, 1, 1, 1), tmp_path / f"x.{suffix}")).pixels.shape[-2:] == (1, 1)


@pytest.mark.parametrize(("name", "transparency"), [("x.gif", 1), ("x.png", 1), ("x.png", bytes([255, 0, 128]))])
def test_palette_with_transparency(tmp_path: Path, name: str, transparency: Any) -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / name, transparency=transparency)
    back = read(tmp_path / name)
    opacity = [1.0, 0.0, 128 / 255 if isinstance(transparency, bytes) else 1.0]
    assert back.alpha is not None
    assert error_between(back.alpha[0, 0], torch.tensor(opacity)[torch.from_numpy(indices.astype(int))]) < 1e-6
    assert back.pixels[0, :, 0, 0].tolist() == [1, 0, 0]
    assert back.pixels[0, :, 0, 2].tolist() == [0, 0, 1]


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_png_is_found_at_every_depth(tmp_path: Path, bits: int) -> None:
    values = np.arange(min(2**bits, 8))
    packed = np.packbits(((values[:, None] >> np.arange(bits)[::-1]) & 1).astype(np.uint8).ravel()).tobytes()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header) + chunk(b"tRNS", struct.pack(">H", 1)) + chunk(b"IDAT", zlib.compress(b"\0" + packed))
    )
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b""))
    back = read(tmp_path / "x.png")
    assert back.alpha is not None
    assert back.alpha[0, 0, 0].tolist() == [float(value != 1) for value in values]
    assert error_between(back.pixels[0, 0, 0], torch.from_numpy(values).float() / (2**bits - 1)) < 1e-6


def test_grey_stays_one_channel_even_in_a_palette(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    picture.putpalette([30, 30, 30, 200, 200, 200])
    picture.save(tmp_path / "x.png")
    assert read(tmp_path / "x.png").pixels.shape == (1, 1, 2, 2)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_without_profile(tmp_path: Path, suffix: str) -> None:
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow: red
    ink.save(tmp_path / f"x.{suffix}")
    red = read(tmp_path / f"x.{suffix}").pixels[0, :, 8, 8]
    assert error_between(red, torch.tensor([1.0, 0, 0])) < 0.03


def test_float_tiffs_are_read_where_they_keep_the_range(tmp_path: Path) -> None:
    import tifffile

    numbers = np.random.default_rng(0).random((4, 5), np.float32)
    tifffile.imwrite(tmp_path / "x.tif", numbers)
    assert np.array_equal(read(tmp_path / "x.tif").pixels[0, 0].numpy(), numbers)
    for bad in (numbers * 9, np.full_like(numbers, np.nan)):
        tifffile.imwrite(tmp_path / "x.tif", bad)
        assert "outside [0, 1]" in refusal(tmp_path / "x.tif")

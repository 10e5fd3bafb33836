"""EXIF, orientation, resolution, texts: kept, or dropped with a note, never at the price of the picture."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sketches import noise, smooth

from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import Picture, to_uint8
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")


def camera_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Seagull"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0two birds"
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_exif_orientation_is_applied_as_pillow_does(tmp_path: Path, orientation: int, suffix: str) -> None:
    from PIL import ImageOps

    file = tmp_path / f"x.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.fromarray(to_uint8(smooth())[0]).save(file, exif=camera_exif(orientation).tobytes(), quality=95)
    with Image.open(file) as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored))
    back = read(file)
    assert np.array_equal(to_uint8(back.pixels)[0], wanted)
    assert back.exif is not None
    kept = Image.Exif()
    kept.load(back.exif)
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "Seagull"


def test_orientation_of_16_bits_turns_alpha_too(tmp_path: Path) -> None:
    x, alpha = noise(3, depth=16), noise(1, depth=16, seed=2)
    file = write(Picture(x, alpha, 16), tmp_path / "x.png")
    data = file.read_bytes()
    body = b"eXIf" + camera_exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    file.write_bytes(data[:33] + chunk + data[33:])
    back = read(file)
    assert torch.equal(back.pixels, x.rot90(-1, (2, 3)))
    assert back.alpha is not None
    assert torch.equal(back.alpha, alpha.rot90(-1, (2, 3)))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_exif_is_kept_upright_on_writing(tmp_path: Path, suffix: str) -> None:
    picture = Picture(smooth(), exif=camera_exif(6).tobytes())
    back = read(write(picture, tmp_path / f"x.{suffix}"))
    assert back.pixels.shape == picture.pixels.shape
    kept = Image.Exif()
    kept.load(back.exif or b"")
    assert kept[0x010F] == "Seagull"
    assert kept.get_ifd(0x8769)[0x9286] == b"ASCII\0\0\0two birds"


def test_broken_exif_is_left_out_with_a_note(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    Image.new("RGB", (8, 8)).save(file, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40)
    with pytest.warns(PictureWarning, match="its EXIF is broken"):
        picture = read(file)
    assert write(Picture(picture.pixels, exif=b"nonsense"), tmp_path / "y.jpg").exists()

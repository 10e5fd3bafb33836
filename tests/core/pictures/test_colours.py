"""Colours into sRGB: by formula, and as LittleCMS has them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from sketches import error_between, noise, profile

from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import to_uint8
from danqing.core.pictures.profiles import by_profile
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")


def by_littlecms(pixels: np.ndarray[Any, Any], icc: bytes, mode: str) -> np.ndarray[Any, Any]:
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    picture = Image.fromarray(pixels)
    turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert turned is not None
    assert picture.mode == mode
    return np.asarray(turned)


def test_adobe_rgb_is_converted_to_srgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4, 3), (64, 128, 192), np.uint8)).save(tmp_path / "x.png", icc_profile=profile())
    seen = to_uint8(read(tmp_path / "x.png").pixels)[0, 0, 0]
    # Adobe RGB (1998) to sRGB by the formulas: linear = v^(563/256), matrix, IEC 61966-2-1
    to_srgb = np.array([[1.39836, -0.39836, 0], [0, 1, 0], [0, -0.04293, 1.04293]])
    linear = to_srgb @ (np.array([64, 128, 192]) / 255) ** (563 / 256)
    linear = np.clip(linear, 0, 1)
    wanted = 255 * np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    assert np.abs(seen - wanted).max() < 1.5


@pytest.mark.parametrize(
    "icc",
    [profile(), profile(1.0), profile(1.8, table=256), profile(2.2, "srgb"), profile(primaries="srgb", kind=b"para")],
    ids=["adobe", "linear", "table", "gamma", "srgb"],
)
def test_16_bit_conversion_agrees_with_littlecms_at_8_bits(icc: bytes) -> None:
    eight = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    ours = by_profile(eight.astype(np.float32) / 255, icc, "RGB") * 255
    assert np.abs(ours - by_littlecms(eight, icc, "RGB")).max() < 1.6


def test_16_bit_files_with_a_profile_keep_their_depth(tmp_path: Path) -> None:
    x = noise(3, depth=16)
    file = write(x, tmp_path / "x.png", depth=16)
    data, icc = file.read_bytes(), zlib.compress(profile())
    body = b"iCCPx\0\0" + icc
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    file.write_bytes(data[:33] + chunk + data[33:])
    back = read(file)
    wanted = by_profile(x[0].permute(1, 2, 0).numpy(), profile(), "RGB")
    assert back.depth == 16
    assert error_between(back.pixels[0].permute(1, 2, 0), torch.from_numpy(wanted)) < 1e-6


def test_an_srgb_profile_changes_no_pixel(tmp_path: Path) -> None:
    x = noise(3, 64, 64)
    for number, icc in enumerate(
        [ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), profile(primaries="srgb", kind=b"para")]
    ):
        file = tmp_path / f"{number}.png"
        Image.fromarray(to_uint8(x)[0]).save(file, icc_profile=icc)
        assert torch.equal(read(file).pixels, x)


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_profiles_are_applied_and_stay_grey(tmp_path: Path, depth: int) -> None:
    grey = np.full((4, 4), 128 if depth == 8 else 128 * 257, np.uint8 if depth == 8 else np.uint16)
    Image.fromarray(grey).save(tmp_path / "x.png", icc_profile=profile(1.0, "grey"))
    back = read(tmp_path / "x.png").pixels
    wanted = 1.055 * (128 / 255) ** (1 / 2.4) - 0.055  # a linear half is a bright sRGB grey
    assert back.shape[1] == 1
    assert abs(float(back[0, 0, 0, 0]) - wanted) < 1.5 / 255


def test_a_grey_picture_under_a_colour_profile_stays_grey(tmp_path: Path) -> None:
    Image.new("L", (4, 4), 128).save(tmp_path / "x.jpg", icc_profile=profile(1.0, "srgb"))
    back = read(tmp_path / "x.jpg").pixels
    assert back.shape[1] == 1
    assert abs(float(back[0, 0, 0, 0]) - (1.055 * (128 / 255) ** (1 / 2.4) - 0.055)) < 2 / 255


@pytest.mark.parametrize("icc", [b"nonsense", profile()[:200], profile(primaries="grey")], ids=["text", "cut", "grey"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_broken_profile_is_ignored_with_a_warning(tmp_path: Path, icc: bytes, depth: int) -> None:
    x = noise(3, depth=depth)
    file = write(x, tmp_path / "x.png", depth=depth)
    body = b"iCCPx\0\0" + zlib.compress(icc)
    data = file.read_bytes()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    file.write_bytes(data[:33] + chunk + data[33:])
    with pytest.warns(PictureWarning, match="profile is ignored"):
        assert torch.equal(read(file).pixels, x)

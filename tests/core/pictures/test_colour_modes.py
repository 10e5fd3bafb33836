"""Colours into sRGB: by formula, and as LittleCMS has them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from sketches import chunk, error_between, noise, profile, refusal, with_chunks

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


@pytest.mark.parametrize("depth", [8, 16])
def test_a_grey_profile_that_connects_through_lab_gives_lightness(tmp_path: Path, depth: int) -> None:
    """As LittleCMS reads it: the curve of such a profile is of L*, not of light."""
    icc = profile(1.0, "grey")
    icc = icc[:20] + b"Lab " + icc[24:]
    file, x = ramp_png(tmp_path, chunk(b"iCCP", b"p\0\0" + zlib.compress(icc)), depth=depth)
    words = np.round(x * 65535).astype(np.uint16)
    wanted = imagecodecs.cms_transform(
        words, icc, imagecodecs.cms_profile("srgb"), colorspace="gray", outcolorspace="rgb",
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
    )  # fmt: skip
    assert np.abs(read(file).pixels[0, 0].numpy() - wanted[..., 1] / 65535).max() < 0.5 / 255  # LittleCMS interpolates


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


# --- what a file says without a profile ---


SRGB_PRIMARIES = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def srgb(linear: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def ramp_png(folder: Path, *chunks: bytes, depth: int = 8, channels: int = 1) -> tuple[Path, np.ndarray[Any, Any]]:
    x = torch.linspace(0, 1, 256).mul(255).round().div(255).view(1, 1, 16, 16).expand(-1, channels, -1, -1)
    return with_chunks(write(x, folder / "x.png", depth=depth), *chunks), x[0, 0].double().numpy()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("gamma", [100_000, 55_556, 65_000])
def test_gamma_of_a_png_is_undone(tmp_path: Path, depth: int, channels: int, gamma: int) -> None:
    file, x = ramp_png(tmp_path, chunk(b"gAMA", struct.pack(">I", gamma)), depth=depth, channels=channels)
    seen = read(file).pixels
    assert seen.shape[1] == channels
    assert np.abs(seen[0, 0].numpy() - srgb(x ** (100_000 / gamma))).max() < 1e-5


@pytest.mark.parametrize("more", [
    [chunk(b"gAMA", struct.pack(">I", 45_455))],
    [chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"cHRM", SRGB_PRIMARIES)],
    [chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"sRGB", b"\0")],
    [chunk(b"gAMA", struct.pack(">I", 0))],
    [chunk(b"cICP", bytes([1, 13, 0, 1])), chunk(b"gAMA", struct.pack(">I", 100_000))],
], ids=["usual", "primaries", "srgb", "zero", "cicp"])  # fmt: skip
def test_pngs_that_are_srgb_in_other_words_stay_as_they_are(tmp_path: Path, more: list[bytes]) -> None:
    x = noise(3, 32, 32)
    file = with_chunks(write(x, tmp_path / "x.png"), *more)
    assert torch.equal(read(file).pixels, x)


def test_primaries_of_a_png_are_those_of_the_profile(tmp_path: Path) -> None:
    x = noise(3, 32, 32)
    adobe = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
    gamma = struct.pack(">I", round(100_000 / (563 / 256)))
    by_chunks = read(with_chunks(write(x, tmp_path / "a.png"), chunk(b"gAMA", gamma), chunk(b"cHRM", adobe))).pixels
    icc = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile()))
    by_icc = read(with_chunks(write(x, tmp_path / "b.png"), icc)).pixels
    assert error_between(by_chunks, by_icc) < 0.1  # gAMA 45471 is shown as sRGB's own curve is
    assert float((by_chunks - by_icc).abs().mean()) < 0.01


def test_coded_colours_of_a_png(tmp_path: Path) -> None:
    green = torch.tensor([0.0, 1, 0]).view(1, 3, 1, 1).expand(-1, -1, 4, 4)
    grey = torch.full((1, 3, 4, 4), 0.5)
    wide = lambda x: read(with_chunks(write(x, tmp_path / "x.png", force=True), chunk(b"cICP", bytes([12, 13, 0, 1]))))  # noqa: E731
    assert error_between(wide(grey).pixels, read(write(grey, tmp_path / "y.png")).pixels) < 1e-3  # white is the same
    half_green = wide(green * 0.5).pixels[0, :, 0, 0]
    # P3 green lies outside sRGB: red below zero is cut off, green grows by 1.0421 in linear light (SMPTE EG 432-1)
    assert float(half_green[0]) == 0
    linear = ((128 / 255 + 0.055) / 1.055) ** 2.4
    assert float(half_green[1]) == pytest.approx(float(srgb(np.array(linear * 1.0421))), abs=2e-3)
    for transfer, words in ((16, "PQ"), (18, "HLG")):
        file = with_chunks(write(grey, tmp_path / "x.png", force=True), chunk(b"cICP", bytes([9, transfer, 0, 1])))
        assert words in refusal(file)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_narrow_range_is_widened(tmp_path: Path, depth: int, channels: int) -> None:
    """ITU-T H.273, 8.3: black is 16, white 235, and what lies beyond is cut off; opacity has its full range."""
    stored = (np.array([[16, 235, 0, 255, 126]]) << depth - 8).astype(np.uint8 if depth == 8 else np.uint16)
    data = imagecodecs.png_encode(np.stack([stored] * (channels + 1), axis=-1))
    for transfer in (1, 13):  # BT.709 is shown as sRGB is
        (tmp_path / "x.png").write_bytes(data)
        seen = read(with_chunks(tmp_path / "x.png", chunk(b"cICP", bytes([1, transfer, 0, 0]))))
        wanted = torch.tensor([0, 1, 0, 1, 110 / 219]).view(1, 1, 1, 5).expand(-1, channels, -1, -1)
        assert error_between(seen.pixels, wanted) < 1e-6
        assert seen.alpha is not None
        assert np.abs(seen.alpha[0, 0].numpy() - stored / (2**depth - 1)).max() < 1e-6


@pytest.mark.parametrize("code", [(1, 13, 1, 1), (1, 13, 0, 0)])
def test_coded_colours_that_cannot_be_are_refused(tmp_path: Path, code: tuple[int, ...]) -> None:
    """YCbCr is in no PNG, and a narrow range in none of fewer than 8 bits; a palette has 8."""
    Image.new("1", (4, 4), 1).save(tmp_path / "x.png")
    words = "matrix coefficients 1" if code[2] else "narrow range in 1 bits"
    assert words in refusal(with_chunks(tmp_path / "x.png", chunk(b"cICP", bytes(code))))
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([16, 16, 16, 235, 235, 235])
    picture.save(tmp_path / "y.png", bits=1)
    with_chunks(tmp_path / "y.png", chunk(b"cICP", bytes([1, 13, 0, 0])))
    assert float(read(tmp_path / "y.png").pixels.min()) == 1


def test_of_coded_colours_and_a_profile_the_code_counts_where_it_can_be_followed(tmp_path: Path) -> None:
    """PNG specification, third edition, 4.3; browsers are tested for it."""
    x = noise(3, 16, 16)
    icc, srgb_code = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile())), chunk(b"cICP", bytes([1, 13, 0, 1]))
    assert torch.equal(read(with_chunks(write(x, tmp_path / "a.png"), icc, srgb_code)).pixels, x)
    by_profile_alone = read(with_chunks(write(x, tmp_path / "b.png"), icc)).pixels
    pq = chunk(b"cICP", bytes([9, 16, 0, 1]))
    assert torch.equal(read(with_chunks(write(x, tmp_path / "c.png"), icc, pq)).pixels, by_profile_alone)
    broken = chunk(b"iCCP", b"p\0\0" + zlib.compress(b"nonsense"))
    with pytest.warns(PictureWarning, match="profile is ignored"):
        assert "PQ" in refusal(with_chunks(write(x, tmp_path / "d.png"), broken, pq))


def test_coded_colours_of_an_avif(tmp_path: Path) -> None:
    file = write(noise(3, 16, 16), tmp_path / "x.avif")
    data, plain = file.read_bytes(), read(file).pixels
    at = data.index(b"colrnclx") + 8
    assert data[at : at + 4] == bytes([0, 1, 0, 13])
    file.write_bytes(data[:at] + bytes([0, 12]) + data[at + 2 :])
    assert error_between(read(file).pixels, plain) > 0.01  # P3 is converted
    file.write_bytes(data[:at] + bytes([0, 9, 0, 16]) + data[at + 4 :])
    assert "PQ" in refusal(file)


def test_adobe_rgb_by_exif_alone_is_converted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    pixels = to_uint8(noise(3, 16, 16))[0]
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif.tobytes())
    Image.fromarray(pixels).save(tmp_path / "b.png", icc_profile=profile())
    assert error_between(read(tmp_path / "a.png").pixels, read(tmp_path / "b.png").pixels) < 2 / 255


@pytest.mark.parametrize("depth", [8, 16])
def test_linear_grey_is_right_in_the_shadows(tmp_path: Path, depth: int) -> None:
    icc = chunk(b"iCCP", b"p\0\0" + zlib.compress(profile(1.0, "grey")))
    file, x = ramp_png(tmp_path, icc, depth=depth)
    assert np.abs(read(file).pixels[0, 0].numpy() - srgb(x)).max() < 1e-5

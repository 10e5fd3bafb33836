"""Pictures from files and back: nothing is lost that the format can hold, and every bad file is refused by its name."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from torch import Tensor

from danqing.core.errors import OutputError, ParameterError, PictureError
from danqing.core.notes import PictureWarning
from danqing.core.pictures import contract
from danqing.core.pictures.contract import Picture, contact_sheet, from_uint8, to_uint8
from danqing.core.pictures.profiles import deep_to_srgb
from danqing.core.pictures.reading import read
from danqing.core.pictures.recipe_chunk import recipe_of
from danqing.core.pictures.writing import write
from danqing.core.recipe import Recipe, Step

SUFFIXES = ("png", "jpg", "webp", "tif", "bmp", "gif", "avif")
RECIPE: Recipe = [Step("median", {"radius": 2, "words": "<é & 🐼>\n"}, [{"path": "a b\udc80.png", "sha256": "00"}])]
pytestmark = pytest.mark.filterwarnings("error")


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


# --- numbers ---


def test_bytes_go_to_floats_and_back_unchanged() -> None:
    everything = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    assert np.array_equal(to_uint8(from_uint8(everything)), everything)
    assert float(from_uint8(everything).max()) == 1.0


def test_bytes_round_to_nearest() -> None:
    x = torch.tensor([0.49, 0.51, 254.49, 254.51]).div(255).reshape(1, 1, 2, 2)
    assert to_uint8(x).ravel().tolist() == [0, 1, 254, 255]


def test_from_uint8_does_not_share_memory_with_a_read_only_array() -> None:
    a = np.zeros((1, 2, 2, 3), np.uint8)
    a.flags.writeable = False
    from_uint8(a).add_(1)
    assert a.max() == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.01, 1.01])
def test_values_outside_the_contract_are_refused(bad: float) -> None:
    x = torch.zeros(1, 3, 4, 4)
    x[0, 1, 2, 3] = bad
    with pytest.raises(ParameterError, match="finite"):
        contract.check_images(x)


@pytest.mark.parametrize(
    "x", [torch.zeros(3, 4, 4), torch.zeros(1, 2, 4, 4), torch.zeros(0, 3, 4, 4), torch.zeros(1, 3, 4, 4).double()]
)
def test_shapes_and_types_outside_the_contract_are_refused(x: Tensor) -> None:
    with pytest.raises(ParameterError):
        contract.check_images(x)


def test_contact_sheet_keeps_every_picture_in_its_place() -> None:
    x = torch.rand(5, 3, 4, 6)
    sheet = contact_sheet(x, columns=3, gap=2)
    assert sheet.shape == (1, 3, 10, 22)
    assert torch.equal(sheet[0, :, 6:10, 8:14], x[4])
    assert float(sheet[0, :, 6:, 16:].min()) == 1.0  # the empty place is white
    assert contact_sheet(x[:1], columns=9, gap=5).shape == (1, 3, 4, 6)


# --- what is written is what is read ---


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
def test_lossless_formats_are_lossless(
    tmp_path: Path, suffix: str, channels: int, with_alpha: bool, depth: int
) -> None:
    if suffix == "webp" and depth == 16:
        pytest.skip("WebP holds 8 bits")
    alpha = noise(1, depth=depth, seed=1) if with_alpha else None
    picture = Picture(noise(channels, depth=depth), alpha, depth)
    back = read(write(picture, tmp_path / f"x.{suffix}", quality=100))
    in_colour = suffix == "webp" or (suffix == "tif" and depth == 16 and with_alpha)  # hold no grey, as write says
    wanted = picture.pixels.expand(-1, 3, -1, -1) if in_colour else picture.pixels
    assert back.depth == depth
    assert torch.equal(back.pixels, wanted)
    assert (back.alpha is None) == (alpha is None)
    assert alpha is None or (back.alpha is not None and torch.equal(back.alpha, alpha))


@settings(max_examples=40)
@given(st.sampled_from(["png", "tif"]), st.integers(1, 3), st.integers(1, 70), st.integers(1, 9), st.integers(0, 99))
def test_any_size_in_16_bits_comes_back(suffix: str, channels: int, height: int, width: int, seed: int) -> None:
    x = noise(1 if channels == 2 else channels, height, width, 16, seed)
    alpha = noise(1, height, width, 16, seed + 1) if channels == 2 and suffix == "png" else None
    with tempfile.TemporaryDirectory() as folder:
        back = read(write(Picture(x, alpha), Path(folder) / f"x.{suffix}", depth=16))
    assert torch.equal(back.pixels, x)
    assert alpha is None or (back.alpha is not None and torch.equal(back.alpha, alpha))


def test_every_16_bit_value_survives(tmp_path: Path) -> None:
    x = torch.arange(65536).float().div(65535).reshape(1, 1, 256, 256)
    for suffix in ("png", "tif"):
        assert torch.equal(read(write(x, tmp_path / f"x.{suffix}", depth=16)).pixels, x)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_agree_with_opencv_both_ways(tmp_path: Path, suffix: str, channels: int) -> None:
    import cv2

    words = np.random.default_rng(0).integers(0, 65536, (37, 50, channels), dtype=np.uint16)
    order = [0] if channels == 1 else [2, 1, 0, 3][:channels]
    theirs, ours = tmp_path / f"theirs.{suffix}", tmp_path / f"ours.{suffix}"
    cv2.imwrite(str(theirs), words[..., order])
    picture = read(theirs)
    parts = [picture.pixels] if picture.alpha is None else [picture.pixels, picture.alpha]
    assert np.array_equal((torch.cat(parts, 1)[0].permute(1, 2, 0) * 65535).round().numpy().astype(np.uint16), words)
    seen = cv2.imread(str(write(picture, ours)), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(seen.reshape(words.shape)[..., order], words)


@pytest.mark.parametrize(
    "layout",
    [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"byteorder": ">", "compression": "zlib"}, {"tile": (16, 16)},
     {"rowsperstrip": 3}],
    ids=str,
)  # fmt: skip
def test_16_bit_tiffs_of_every_layout_are_read_exactly(tmp_path: Path, layout: dict[str, Any]) -> None:
    import tifffile

    words = np.random.default_rng(1).integers(0, 65536, (20, 31, 3), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", words, photometric="rgb", **layout)
    picture = read(tmp_path / "x.tif")
    assert np.array_equal((picture.pixels[0].permute(1, 2, 0) * 65535).round().numpy().astype(np.uint16), words)


def test_premultiplied_16_bit_colours_are_divided_by_their_opacity(tmp_path: Path) -> None:
    import tifffile

    words = np.array([[[10000, 20000, 30000, 40000], [0, 0, 0, 0], [65535, 1, 0, 65535]]], np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", words, photometric="rgb", extrasamples=["assocalpha"])
    pixels = read(tmp_path / "x.tif").pixels[0, :, 0].T
    wanted = torch.tensor([[1 / 4, 2 / 4, 3 / 4], [0, 0, 0], [1, 1 / 65535, 0]])
    assert error_between(pixels, wanted) < 1 / 65535


def test_16_bit_channels_in_separate_planes_are_refused(tmp_path: Path) -> None:
    import tifffile

    tifffile.imwrite(tmp_path / "x.tif", np.zeros((3, 8, 8), np.uint16), photometric="rgb", planarconfig="separate")
    assert "separate planes" in refusal(tmp_path / "x.tif")


@pytest.mark.parametrize("suffix", ["jpg", "avif", "webp"])
def test_lossy_formats_stay_close(tmp_path: Path, suffix: str) -> None:
    x = smooth()
    assert error_between(read(write(x, tmp_path / f"x.{suffix}")).pixels, x) < 12 / 255


@pytest.mark.parametrize("channels", [1, 3])
def test_bmp_and_gif_hold_what_they_can(tmp_path: Path, channels: int) -> None:
    x = noise(channels, depth=2)
    for suffix in ("bmp", "gif"):
        assert torch.equal(read(write(x, tmp_path / f"x.{suffix}")).pixels, x)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_picture_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    first, second = (write(smooth(), tmp_path / f"{name}.{suffix}", recipe=RECIPE) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("depth", [8, 16])
def test_the_recipe_travels_inside(tmp_path: Path, suffix: str, depth: int) -> None:
    if depth == 16 and suffix not in ("png", "tif"):
        with pytest.raises(OutputError, match="16 bits"):
            write(smooth(), tmp_path / f"x.{suffix}", depth=16)
        return
    file = write(smooth(), tmp_path / f"x.{suffix}", depth=depth, recipe=RECIPE)
    if suffix == "bmp":
        assert read(file).recipe is None
        with pytest.raises(PictureError, match="no recipe"):
            recipe_of(file)
    else:
        assert read(file).recipe == recipe_of(file) == RECIPE
        assert recipe_of(write(read(file), tmp_path / f"again.{suffix}")) == RECIPE


def test_the_recipe_is_found_although_the_pixels_are_gone(tmp_path: Path) -> None:
    file = write(noise(3, 200, 200), tmp_path / "x.png", recipe=RECIPE)
    file.write_bytes(file.read_bytes()[:2000])
    assert recipe_of(file) == RECIPE
    assert "truncated" in refusal(file)


def test_a_picture_with_a_damaged_recipe_is_still_a_picture(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("danqing", '{"format": 1, "steps": [{')
    Image.new("L", (3, 3)).save(tmp_path / "x.png", pnginfo=info)
    assert read(tmp_path / "x.png").recipe is None
    with pytest.raises(ParameterError, match="damaged recipe"):
        recipe_of(tmp_path / "x.png")


def test_a_recipe_too_long_for_jpeg_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    long: Recipe = [Step("median", {"words": "x" * 70_000})]
    with pytest.raises(OutputError, match="JPEG"):
        write(smooth(), tmp_path / "x.jpg", recipe=long)
    assert list(tmp_path.iterdir()) == []
    assert recipe_of(write(smooth(), tmp_path / "x.png", recipe=long)) == long


# --- EXIF and orientation ---


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


def test_broken_exif_is_left_out_without_a_word(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    Image.new("RGB", (8, 8)).save(file, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40)
    picture = read(file)
    assert write(Picture(picture.pixels, exif=b"nonsense"), tmp_path / "y.jpg").exists()


# --- modes ---


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


# --- colour profiles ---


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
    ours = deep_to_srgb(eight.astype(np.float32) / 255, icc) * 255
    assert np.abs(ours - by_littlecms(eight, icc, "RGB")).max() < 1.6


def test_16_bit_files_with_a_profile_keep_their_depth(tmp_path: Path) -> None:
    x = noise(3, depth=16)
    file = write(x, tmp_path / "x.png", depth=16)
    data, icc = file.read_bytes(), zlib.compress(profile())
    body = b"iCCPx\0\0" + icc
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    file.write_bytes(data[:33] + chunk + data[33:])
    back = read(file)
    wanted = deep_to_srgb(x[0].permute(1, 2, 0).numpy(), profile())
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


# --- refusals ---


def test_missing_empty_folder_text_and_pipe(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.png") == "no such file"
    assert "folder" in refusal(tmp_path)
    (tmp_path / "empty.png").touch()
    assert "empty" in refusal(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("These are words, whatever the name says.\n")
    assert "not a picture (text)" in refusal(tmp_path / "text.png")
    (tmp_path / "other.png").write_bytes(bytes(range(256)))
    assert "unknown format" in refusal(tmp_path / "other.png")
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert "HEIC" in refusal(tmp_path / "phone.jpg")
    os.mkfifo(tmp_path / "pipe.png")
    assert "pipe" in refusal(tmp_path / "pipe.png")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))
    assert "cannot be read" in refusal(Path("a\0b.png"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    file = write(smooth(), tmp_path / "x.png")
    file.chmod(0)
    assert "Permission denied" in refusal(file)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_anywhere_is_refused_or_whole(tmp_path: Path, suffix: str, capfd: Any) -> None:
    file = write(noise(3, 40, 40), tmp_path / f"x.{suffix}")
    data, whole = file.read_bytes(), read(file).pixels
    reasons: dict[int, str] = {}
    for length in {*range(1, 60, 3), *range(60, len(data), len(data) // 40), *range(len(data) - 12, len(data))}:
        file.write_bytes(data[:length])
        try:
            assert torch.equal(read(file).pixels, whole), f"{length} of {len(data)} bytes"
        except PictureError as error:
            reasons[length] = error.what
    assert len(reasons) > 50
    assert all("truncated" in what or "damaged" in what for length, what in reasons.items() if length >= 60)
    assert capfd.readouterr().err == ""  # nor do the C libraries complain on their own


def test_a_damaged_checksum_is_refused(tmp_path: Path) -> None:
    file = write(noise(3, 40, 40), tmp_path / "x.png")
    data = bytearray(file.read_bytes())
    data[30] ^= 1
    file.write_bytes(data)
    assert "damaged PNG" in refusal(file)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeeze, row = zlib.compressobj(9), bytes(1 + 30_000 // 8)
    pixels = b"".join(squeeze.compress(row) for _ in range(30_000)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert "30000 x 30000 pixels" in refusal(tmp_path / "bomb.png")


def test_the_limit_can_be_set_both_ways(tmp_path: Path) -> None:
    file = write(noise(3, 40, 50), tmp_path / "x.png")
    assert "limit" in refusal(file, limit=1999)
    assert read(file, limit=2000).pixels.shape == (1, 3, 40, 50)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif", "avif"])
def test_animations_give_their_first_frame_or_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "white")]
    frames[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:])
    assert "holds 3 frames" in refusal(tmp_path / f"x.{suffix}", frame="only")
    first = read(tmp_path / f"x.{suffix}").pixels[0, :, 4, 4]
    assert error_between(first, torch.tensor([1.0, 0, 0])) < 0.03


def test_the_preview_in_a_phone_picture_is_no_second_frame(tmp_path: Path) -> None:
    picture = Image.new("RGB", (16, 16), "red")
    picture.save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=[picture.resize((8, 8))])
    assert read(tmp_path / "x.jpg", frame="only").pixels.shape == (1, 3, 16, 16)


@settings(max_examples=60)
@given(st.sampled_from(SUFFIXES), st.data())
def test_flipped_bytes_never_escape_as_another_error(suffix: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", PictureWarning)
        file = write(noise(3, 12, 12), Path(folder) / f"x.{suffix}", recipe=RECIPE)
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        file.write_bytes(content)
        with contextlib.suppress(PictureError):
            contract.check_images(read(file, limit=10_000_000).pixels)


# --- writing ---


@pytest.mark.parametrize(
    "name", ["with space.png", "熊猫 🐼.png", "two\nlines.png", "-dash.png", "UPPER.PNG", "a.b.c.png"]
)
def test_odd_names(tmp_path: Path, name: str) -> None:
    x = noise()
    assert write(x, tmp_path / name, recipe=RECIPE) == tmp_path / name
    assert torch.equal(read(tmp_path / name).pixels, x)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["x.xyz", "x", "x.eps", "x.png.bak"])
def test_an_unknown_suffix_names_those_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"Known: .*\.avif.*\.jpeg.*\.png"):
        write(noise(), tmp_path / name)


def test_an_existing_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    file = write(noise(), tmp_path / "x.png")
    before = file.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write(smooth(), file)
    assert file.read_bytes() == before
    write(smooth(), file, force=True)
    assert file.read_bytes() != before


@pytest.mark.parametrize("suffix", ["jpg", "bmp"])
def test_transparency_is_laid_on_white_where_there_is_none(tmp_path: Path, suffix: str) -> None:
    alpha = torch.zeros(1, 1, 16, 16)
    alpha[..., 8:] = 1
    with pytest.warns(PictureWarning, match="laid on white"):
        write(Picture(torch.zeros(1, 3, 16, 16), alpha), tmp_path / f"x.{suffix}")
    seen = read(tmp_path / f"x.{suffix}").pixels
    assert float(seen[..., :7].min()) > 0.97
    assert float(seen[..., 9:].max()) < 0.03


def test_a_picture_too_wide_for_its_format(tmp_path: Path) -> None:
    for suffix, width in (("webp", 16_384), ("jpg", 65_536), ("gif", 65_536)):
        with pytest.raises(OutputError):
            write(torch.zeros(1, 1, 1, width), tmp_path / f"x.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    for wrong in (
        lambda: write(torch.rand(2, 3, 4, 4), file),
        lambda: write(noise() * 2, file),
        lambda: write(Picture(noise(), torch.ones(1, 1, 3, 3)), file),
        lambda: write(noise(), file, depth=12),
        lambda: write(noise(), file, quality=0),
        lambda: write(noise(), file, quality=101),
        lambda: write(noise(), file, recipe=[Step("x", {"number": float("nan")})]),
    ):
        with pytest.raises(ParameterError):
            wrong()
    assert list(tmp_path.iterdir()) == []


def test_16_bits_come_back_as_8_only_where_the_format_forces_it(tmp_path: Path) -> None:
    picture = read(write(noise(depth=16), tmp_path / "x.png", depth=16))
    assert read(write(picture, tmp_path / "y.tif")).depth == 16
    assert read(write(picture, tmp_path / "y.png", depth=8)).depth == 8
    assert read(write(picture, tmp_path / "y.jpg")).depth == 8


def test_showing_a_recipe_needs_no_torch() -> None:
    code = "import sys, danqing.core.pictures.decoding; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"

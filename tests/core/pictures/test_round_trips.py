"""What is written is what is read, as far as each format can."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sketches import RECIPE, SUFFIXES, error_between, noise, refusal, smooth

from danqing.core.errors import OutputError, ParameterError, PictureError
from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.recipe import Recipe, Step

pytestmark = pytest.mark.filterwarnings("error")


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
    wanted = picture.pixels.expand(-1, 3, -1, -1) if suffix == "webp" else picture.pixels  # which holds no grey
    assert back.depth == depth
    assert torch.equal(back.pixels, wanted)
    assert (back.alpha is None) == (alpha is None)
    assert alpha is None or (back.alpha is not None and torch.equal(back.alpha, alpha))


@settings(max_examples=40, deadline=None)
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


def test_16_bit_channels_in_separate_planes_are_read(tmp_path: Path) -> None:
    import tifffile

    words = np.random.default_rng(0).integers(0, 65536, (3, 8, 9), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", words, photometric="rgb", planarconfig="separate")
    assert np.array_equal((read(tmp_path / "x.tif").pixels[0] * 65535).round().numpy(), words)


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


def test_a_recipe_too_long_for_jpeg_costs_the_recipe_not_the_picture(tmp_path: Path) -> None:
    long: Recipe = [Step("median", {"words": "x" * 70_000})]
    with pytest.warns(PictureWarning, match="no room for the recipe"):
        write(smooth(), tmp_path / "x.jpg", recipe=long)
    assert read(tmp_path / "x.jpg").recipe is None
    assert recipe_of(write(smooth(), tmp_path / "x.png", recipe=long)) == long

"""compress meets its target with the best file there is, tells the truth about it, and can be replayed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from skimage.metrics import structural_similarity
from torch import Tensor

from danqing import compress
from danqing.core.artefacts.file import Files
from danqing.core.artefacts.saving import Saving
from danqing.core.errors import OutputError, ParameterError
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.contract import Picture, to_uint8
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import settings, write
from danqing.core.recipe import Step
from danqing.faces.cli import cli

LOSSY = ("jpg", "webp", "avif")
KINDS = {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF", "png": "PNG"}


def run(*args: Any) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def decoded(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode))


@pytest.fixture
def photo(chelsea: Tensor) -> Tensor:
    return chelsea[..., 80:176, 120:248]


@pytest.fixture
def file(photo: Tensor, tmp_path: Path) -> Path:
    return write(photo, tmp_path / "photo.png")


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("size", [3.0, 10.0, 1000.0])
def test_the_size_is_kept_and_used(format: str, size: float, photo: Tensor) -> None:
    """Of a small file nothing is set aside; at 90 the step is large, as colour is kept whole from there on."""
    (made,) = compress(photo, format=format, size=size)
    assert made.numbers["bytes"] == len(made.data) <= 1000 * size
    assert Image.open(io.BytesIO(made.data)).format == KINDS[format]
    assert made.numbers["bytes"] > 900 * size or made.numbers["quality"] in (89, 100)


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("ssim", [0.6, 0.9, 0.97])
def test_the_ssim_is_reached_by_no_more_than_is_needed(format: str, ssim: float, photo: Tensor) -> None:
    (made,) = compress(photo, format=format, ssim=ssim)
    assert made.numbers["ssim"] >= ssim
    assert made.numbers["ssim"] < ssim + 0.1 or made.numbers["quality"] == 1


@pytest.mark.parametrize("format", LOSSY)
def test_the_figures_are_those_of_the_file(format: str, photo: Tensor) -> None:
    (made,) = compress(photo, format=format, size=6)
    seen, there = decoded(made.data), to_uint8(photo)[0]
    error = float(((seen / 255.0 - photo[0].permute(1, 2, 0).double().numpy()) ** 2).mean())
    assert made.numbers["psnr"] == pytest.approx(-10 * np.log10(error), abs=1e-3)
    expected = structural_similarity(
        seen, there, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )
    assert made.numbers["ssim"] == pytest.approx(expected, abs=1e-3)
    assert made.numbers["bits_per_pixel"] == pytest.approx(8 * len(made.data) / (96 * 128))


def test_png_is_without_loss_or_with_as_many_colours_as_fit(photo: Tensor) -> None:
    (whole,) = compress(photo, format="png")
    assert np.array_equal(decoded(whole.data), to_uint8(photo)[0])
    assert whole.numbers["psnr"] is None
    assert whole.numbers["ssim"] == 1
    with pytest.raises(ParameterError, match="PNG takes at least"):
        compress(photo, format="png", size=len(whole.data) / 1000 - 1)
    assert compress(photo, format="png", palette=True, size=100)[0].data == whole.data
    sizes = [compress(photo, format="png", palette=True, size=size)[0].numbers for size in (3, 6)]
    assert 2 <= sizes[0]["colours"] < sizes[1]["colours"] <= 256
    assert sizes[0]["bytes"] <= 3000
    assert sizes[1]["bytes"] <= 6000
    assert compress(photo, format="png", palette=True)[0].numbers["colours"] == 256


def test_what_cannot_be_reached_is_refused_with_what_can(photo: Tensor) -> None:
    with pytest.raises(ParameterError, match=r"JPEG takes at least ([\d.]+) kB") as small:
        compress(photo, size=0.2)
    least = float(str(small.value).split("at least ")[1].split(" kB")[0])
    assert len(compress(photo, size=least)[0].data) <= 1000 * least
    with pytest.raises(ParameterError, match=r"WEBP reaches 0\.9\d+ at most"):
        compress(photo, format="webp", ssim=1)
    for values in ({"size": 9, "ssim": 0.9}, {"format": "jpg", "palette": True}, {"ssim": 1.1}, {"size": 0}):
        with pytest.raises(ParameterError):
            compress(photo, **values)
    with pytest.raises(ParameterError, match="at least 11"):
        compress(photo[..., :5, :], ssim=0.9)
    assert compress(photo[..., :5, :], size=9)[0].numbers["ssim"] is None


@pytest.mark.parametrize("format", LOSSY)
def test_what_is_too_small_for_ssim_is_compressed_at_its_best(format: str) -> None:
    (file,) = compress(torch.rand(1, 3, 5, 9, generator=torch.Generator().manual_seed(0)), format=format)
    assert (file.numbers["quality"], file.numbers["ssim"]) == (100, None)


def test_sides_beyond_the_format_are_refused_before_any_work() -> None:
    for format, longest in (("jpg", 65_500), ("webp", 16_383), ("avif", 32_768)):
        with pytest.raises(OutputError, match=f"ends at {longest:,} px"):
            compress(torch.zeros(1, 1, 1, longest + 1), format=format, size=100)


@pytest.mark.parametrize("format", ["webp", "avif", "png"])
@pytest.mark.parametrize("channels", [1, 3])
def test_opacity_is_kept(format: str, channels: int, photo: Tensor) -> None:
    alpha = torch.linspace(0, 1, 128).expand(1, 1, 96, 128)
    (made,) = compress(photo[:, :channels], format=format, size=60, alpha=alpha, palette=format == "png")
    seen = decoded(made.data, "RGBA")
    assert np.abs(seen[..., 3] / 255 - alpha[0, 0].numpy()).mean() < 0.04  # few colours are few opacities, too
    assert made.numbers["psnr"] is None or made.numbers["psnr"] > 28


def test_opacity_is_refused_by_jpeg_and_when_it_does_not_fit(photo: Tensor) -> None:
    with pytest.raises(ParameterError, match="JPEG holds no transparency"):
        compress(photo, alpha=torch.full((1, 1, 96, 128), 0.99))
    with pytest.raises(ParameterError, match="alpha: its 100×96 px do not fit pictures of 128×96 px"):
        compress(photo, format="webp", alpha=torch.ones(1, 1, 96, 100))


@pytest.mark.parametrize("format", KINDS)
def test_opaque_everywhere_is_no_opacity(format: str, photo: Tensor) -> None:
    (with_alpha,), (without,) = (
        compress(photo, format=format, size=60, alpha=alpha) for alpha in (torch.full((1, 1, 96, 128), 0.9999), None)
    )
    assert with_alpha.data == without.data
    assert with_alpha.numbers == without.numbers


@pytest.mark.parametrize("format", KINDS)
def test_a_recipe_goes_in_if_there_is_room_and_changes_no_pixel(format: str, photo: Tensor) -> None:
    recipe = [Step("compress", {"format": format})]
    (roomy,) = compress(photo, format=format, size=70)
    whole = roomy.embedded(settings(KINDS[format], recipe))
    assert len(roomy.data) < len(whole.data) == whole.numbers["bytes"] <= 70_000
    assert np.array_equal(decoded(whole.data), decoded(roomy.data))
    exact = len(roomy.data) / 1000
    (tight,) = compress(photo, format=format, size=exact) if format == "png" else compress(photo, format=format, size=5)
    long = [Step("compress", {"words": "x" * 4000})]
    assert tight.embedded(settings(KINDS[format], long)) is tight


def test_noise_fits_into_a_jpeg() -> None:
    """At high quality it takes more bytes than it has pixels."""
    noise = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    (made,) = compress(noise, ssim=0.98)
    assert len(made.data) > 256 * 256
    assert decoded(made.data).shape == (256, 256, 3)


def test_a_recipe_too_long_for_jpeg_is_left_out(photo: Tensor) -> None:
    (made,) = compress(photo, ssim=0.8)
    assert made.embedded(settings("JPEG", [Step("compress", {"words": "x" * 70_000})])) is made


# files


def test_it_says_what_it_makes(photo: Tensor, tmp_path: Path) -> None:
    assert operator_named("compress").makes is Files
    made = compress(photo.repeat(2, 1, 1, 1), format="webp", size=9)
    files = Files(made)
    assert files.told() == [each.numbers for each in made]
    parts = files.parts(tmp_path / "a.webp", Saving())
    assert [part.file.name for part in parts] == ["a-0000.webp", "a-0001.webp"]
    with pytest.raises(OutputError, match="format webp"):
        Files.check_place(tmp_path / "a.jpg", Saving(), {"format": "webp"})


@pytest.mark.parametrize("format", KINDS)
def test_the_name_chooses_the_format_and_the_file_can_be_replayed(format: str, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / f"small.{format}"
    result = run("compress", file, "--size", 75, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)["done"][0]["numbers"]
    assert told["bytes"] == out.stat().st_size <= 75_000
    assert told["format"] == format
    assert recipe_of(out)[-1].params["format"] == format
    again = run("replay", out, "--out", tmp_path / "again" / out.name)
    assert again.exit_code == 0, again.stderr
    assert "bit for bit" in again.stdout + again.stderr
    assert run("compress", file, "--size", 75, "--out", out).exit_code == 0  # there already
    assert run("compress", file, "--size", 74, "--out", out).exit_code != 0
    assert run("compress", file, "--size", 74, "--out", out, "--force").exit_code == 0


def test_beside_the_picture_and_in_folders_the_suffix_is_that_of_the_format(file: Path, tmp_path: Path) -> None:
    assert run("compress", file, "--size", 20, "--format", "webp").exit_code == 0
    assert read(file.with_name("photo-compress.webp")).pixels.shape == (1, 3, 96, 128)
    (tmp_path / "in").mkdir()
    file.rename(tmp_path / "in" / "photo.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run("compress", tmp_path / "in", "--size", 20, "--out-dir", tmp_path / "out")
    assert result.exit_code == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.jpg"]


def test_a_wrong_name_and_a_picture_with_opacity(file: Path, tmp_path: Path) -> None:
    wrong = run("compress", file, "--size", 20, "--format", "webp", "--out", tmp_path / "small.png")
    assert wrong.exit_code == 2
    assert "End the name in .webp" in wrong.stderr
    assert not (tmp_path / "small.png").exists()
    alpha = torch.linspace(0, 1, 96)[:, None].expand(1, 1, 96, 128)
    glass = write(Picture(read(file).pixels, alpha), tmp_path / "glass.png")
    assert "JPEG holds no transparency" in run("compress", glass, "--size", 20).stderr
    assert run("compress", glass, "--size", 20, "--out", tmp_path / "glass.webp").exit_code == 0
    kept = read(tmp_path / "glass.webp").alpha
    assert kept is not None
    assert float((kept - alpha).abs().max()) < 0.01


def test_without_room_for_the_recipe_it_says_so(file: Path, tmp_path: Path) -> None:
    quality_slack = [4.0, 4.1, 4.2, 4.3]
    told = [run("compress", file, "--size", size, "--out", tmp_path / f"{size}.jpg").stderr for size in quality_slack]
    assert any("no room for the recipe" in each for each in told)
    assert all((tmp_path / f"{size}.jpg").stat().st_size <= 1000 * size for size in quality_slack)


@pytest.mark.parametrize("format", KINDS)
def test_exif_comes_along_if_there_is_room(format: str, file: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = "Seagull", 6  # artist; turned
    camera, out = tmp_path / "camera.jpg", tmp_path / f"small.{format}"
    Image.open(file).convert("RGB").save(camera, exif=exif.tobytes(), quality=95)
    assert run("compress", camera, "--size", 75, "--out", out).exit_code == 0
    with Image.open(out) as made:
        assert made.size == (96, 128)
        assert made.getexif()[0x013B] == "Seagull"
        assert made.getexif().get(0x0112, 1) == 1
    assert recipe_of(out)
    again = run("replay", out, "--out", tmp_path / "again" / out.name)
    assert "bit for bit" in again.stdout + again.stderr


def test_without_room_for_exif_it_says_so(file: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Seagull" * 1000
    camera = tmp_path / "camera.jpg"
    Image.open(file).convert("RGB").save(camera, exif=exif.tobytes(), quality=95)
    result = run("compress", camera, "--size", 7, "--out", tmp_path / "small.jpg")
    assert result.exit_code == 0
    assert "no room for EXIF" in result.stderr
    assert (tmp_path / "small.jpg").stat().st_size <= 7000

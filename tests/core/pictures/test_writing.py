"""Names, places, formats: what is written is whole, and what cannot be is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from sketches import RECIPE, noise, smooth

from danqing.core.errors import OutputError, ParameterError
from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.recipe import Step

pytestmark = pytest.mark.filterwarnings("error")


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
    code = "import sys, danqing.core.pictures.header; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"

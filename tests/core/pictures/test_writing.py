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


@pytest.mark.parametrize(("suffix", "longest"), [("webp", 16_383), ("jpg", 65_500), ("gif", 65_535), ("avif", 32_768)])
def test_a_picture_as_wide_as_its_format_goes_and_one_wider(tmp_path: Path, suffix: str, longest: int) -> None:
    file = write(torch.zeros(1, 1, 1, longest), tmp_path / f"x.{suffix}")
    assert read(file).pixels.shape[-1] == longest
    for shape in ((1, longest + 1), (longest + 1, 1)):
        with pytest.raises(OutputError, match=rf"ends at {longest:,} px a side.*(PNG|TIFF)"):
            write(torch.zeros(1, 1, *shape), tmp_path / f"y.{suffix}")
    assert list(tmp_path.iterdir()) == [file]


FULL = """
import resource, sys, torch
from danqing.core.errors import OutputError
from danqing.core.pictures.writing import write
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write(torch.rand(1, 3, 128, 128), sys.argv[1], quality=100, force=True)
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("suffix", sorted({"jpg", "bmp", "png", "webp", "gif", "avif", "tif"}))
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    file = write(smooth(), tmp_path / f"x.{suffix}")
    before = file.read_bytes()
    told = subprocess.run([sys.executable, "-c", FULL, file], capture_output=True, text=True, check=True).stdout
    assert "cannot be written" in told
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


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

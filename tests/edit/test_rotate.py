"""rotate turns counter-clockwise about the centre; quarter turns are exact."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from danqing import Folders, crop, flip, read, rotate, write
from danqing.core.pictures.contract import Picture
from danqing.core.progress import finish
from danqing.core.runs.run import run


def inside(x: Tensor, margin: int) -> Tensor:
    return x[:, :, margin:-margin, margin:-margin]


def smooth(size: int = 96) -> Tensor:
    """A picture without fine detail, the same formula at every point."""
    y, x = torch.meshgrid(*[(torch.arange(size) - (size - 1) / 2) / size] * 2, indexing="ij")
    return field(x, y)[None, None]


def field(x: Tensor, y: Tensor) -> Tensor:
    return 0.5 + 0.2 * torch.sin(5 * x + 1) + 0.2 * torch.cos(7 * y - 3 * x)


@pytest.mark.parametrize("expand", [True, False])
def test_four_quarter_turns_are_nothing(expand: bool, astronaut: Tensor) -> None:
    turned = astronaut
    for _ in range(4):
        turned = rotate(turned, angle=90, expand=expand)
    assert torch.equal(turned, astronaut)


def test_positive_is_counter_clockwise() -> None:
    corner = torch.zeros(1, 1, 3, 5)
    corner[0, 0, 0, 4] = 1  # top right
    assert rotate(corner, angle=90)[0, 0, 0, 0] == 1  # goes to the top left
    turned = rotate(torch.nn.functional.pad(corner, (4, 4, 4, 4)), angle=60, expand=False)[0, 0]
    y, x = divmod(int(turned.argmax()), turned.shape[1])
    assert (x < 8, y < 4) == (True, True)  # from (8, 4), right of the middle, up and to the left


@pytest.mark.parametrize("angle", [90, -90, 270, 180, -270, 360])
def test_quarter_turns_agree_with_numpy(angle: int, chelsea: Tensor) -> None:
    assert np.array_equal(rotate(chelsea, angle=angle), np.rot90(chelsea, angle // 90, (2, 3)))


def test_a_quarter_turn_in_the_same_frame_is_exact_and_centred() -> None:
    x = torch.rand(1, 3, 4, 10, generator=torch.Generator().manual_seed(0))
    turned = rotate(x, angle=90, expand=False, fill="#ffffff")
    assert turned.shape == x.shape
    assert torch.equal(turned[..., 3:7], torch.rot90(x, 1, (2, 3))[:, :, 3:7])
    assert (turned[..., :3] == 1).all()
    assert (turned[..., 7:] == 1).all()


@pytest.mark.parametrize("angle", [30, -12.5, 77, 135])
@pytest.mark.parametrize(("filter", "tolerance"), [("nearest", 0.04), ("bilinear", 2e-3), ("bicubic", 2e-3)])
def test_it_turns_a_formula_as_the_formula_turns(angle: float, filter: str, tolerance: float) -> None:
    size = 96
    turned = rotate(smooth(size), angle=angle, expand=False, filter=filter)
    y, x = torch.meshgrid(*[(torch.arange(size) - (size - 1) / 2) / size] * 2, indexing="ij")
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    expected = field(cos * x - sin * y, sin * x + cos * y)[None, None]  # y points down
    assert float((inside(turned, 24) - inside(expected, 24)).abs().max()) < tolerance


def test_there_and_back_is_close_inside(astronaut: Tensor) -> None:
    back = rotate(rotate(astronaut, angle=20, expand=False), angle=-20, expand=False)
    error = inside(back - astronaut, 140).square().mean().sqrt()
    assert float(error) < 0.02  # bicubic twice loses the finest detail


@pytest.mark.parametrize("angle", [3.0, 45.0, 100.0, -60.0])
def test_an_expanded_frame_holds_the_whole_picture(angle: float) -> None:
    white = torch.ones(1, 1, 40, 90)
    turned = rotate(white, angle=angle)
    assert float(turned.sum()) == pytest.approx(40 * 90, rel=0.01)
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    assert turned.shape[2:] == (math.ceil(90 * sin + 40 * cos), math.ceil(90 * cos + 40 * sin))


def test_corners_have_the_colour_and_a_plain_picture_of_it_stays_plain() -> None:
    orange = torch.tensor([1.0, 0.5, 0.25]).view(1, 3, 1, 1)
    turned = rotate(orange.expand(1, 3, 20, 30), angle=33, fill=(1, 0.5, 0.25))
    torch.testing.assert_close(turned, orange.expand_as(turned))
    assert rotate(torch.ones(1, 3, 20, 30), angle=33)[0, :, 0, 0].tolist() == [0, 0, 0]


def test_cropping_after_a_full_turn_of_small_steps_stays_in_place() -> None:
    """The centre does not creep: twelve turns by 30 degrees keep a smooth picture where it is."""
    turned = smooth()
    for _ in range(12):
        turned = rotate(turned, angle=30, expand=False)
    box = {"left": 32, "top": 32, "width": 32, "height": 32}
    assert float((crop(turned, **box) - crop(smooth(), **box)).abs().max()) < 0.01


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize(("angle", "dots"), [(90, (150, 300)), (-90, (150, 300)), (180, (300, 150)), (10, (300, 150))])
def test_dots_across_and_down_turn_with_the_picture(angle: int, dots: Any, opaque: bool, tmp_path: Path) -> None:
    alpha = None if opaque else torch.full((1, 1, 8, 12), 0.5)
    write(Picture(torch.rand(1, 3, 8, 12), alpha, resolution=(300.0, 150.0)), tmp_path / "x.png")
    result = finish(run(rotate, {"angle": angle}, Folders([tmp_path / "x.png"], out=tmp_path / "y.png")))
    assert result.of("done")
    assert read(tmp_path / "y.png").resolution == pytest.approx(dots, rel=1e-3)
    turned = Image.open(tmp_path / "x.png").convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "z.jpg", exif=exif, dpi=(300, 150))
    finish(run(flip, {}, Folders([tmp_path / "z.jpg"], out=tmp_path / "flipped.jpg")))
    assert read(tmp_path / "flipped.jpg").resolution == pytest.approx((150, 300), rel=1e-2)

"""shear leans pictures by the angle given, and keeps areas."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from danqing import shear
from danqing.core.errors import ParameterError


def test_no_angle_is_no_change(chelsea: Tensor) -> None:
    assert torch.equal(shear(chelsea), chelsea)


@pytest.mark.parametrize(("horizontal", "vertical"), [(20.0, 0.0), (-35.0, 0.0), (0.0, 15.0), (10.0, -20.0)])
def test_areas_stay_and_the_frame_holds_them(horizontal: float, vertical: float) -> None:
    leaning = shear(torch.ones(1, 1, 60, 80), horizontal=horizontal, vertical=vertical)
    assert float(leaning.sum()) == pytest.approx(60 * 80, rel=0.02)


def test_an_upright_line_leans_to_the_right_by_the_angle() -> None:
    x = torch.zeros(1, 1, 101, 101)
    x[..., 49:52] = 1
    rows = shear(x, horizontal=30.0, expand=False)[0, 0, [20, 80]]
    top, bottom = ((row * torch.arange(101)).sum() / row.sum() for row in rows)
    assert float(top - bottom) == pytest.approx(60 * math.tan(math.radians(30)), abs=0.5)


def test_a_level_line_rises_to_the_right() -> None:
    x = torch.zeros(1, 1, 101, 101)
    x[..., 49:52, :] = 1
    columns = shear(x, vertical=30.0, expand=False)[0, 0, :, [20, 80]].T
    left, right = ((column * torch.arange(101)).sum() / column.sum() for column in columns)
    assert float(left - right) == pytest.approx(60 * math.tan(math.radians(30)), abs=0.5)


def test_there_and_back_is_close_inside(astronaut: Tensor) -> None:
    back = shear(shear(astronaut, horizontal=15.0, expand=False), horizontal=-15.0, expand=False)
    assert float((back - astronaut)[..., 100:-100, 100:-100].square().mean().sqrt()) < 0.03


def test_corners_have_the_colour_and_too_much_is_refused() -> None:
    out = shear(torch.zeros(1, 3, 20, 20), horizontal=20.0, fill="#ffffff")
    assert float(out[0, :, 0, 0].min()) == 1
    with pytest.raises(ParameterError, match="vertical"):
        shear(torch.zeros(1, 3, 20, 20), horizontal=60.0, vertical=60.0)

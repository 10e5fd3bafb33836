"""curves goes through its points, smoothly, and never beyond them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import curves
from danqing.core.errors import ParameterError
from danqing.maths.colour import to_oklab


def test_it_agrees_with_scipy_and_passes_through_its_points() -> None:
    from scipy.interpolate import PchipInterpolator

    ramp = torch.linspace(0, 1, 1001)
    at, to = [0, 0.2, 0.5, 1], [0.1, 0.1, 0.9, 0.7]
    out = curves(ramp.view(1, 1, 1, -1), points="1,0.7 0,0.1 0.2,0.1 0.5,0.9")[0, 0, 0]
    np.testing.assert_allclose(out, PchipInterpolator(at, to)(ramp.numpy()), atol=1e-6)
    np.testing.assert_allclose(out[[0, 200, 500, 1000]], to, atol=1e-6)
    assert float(out.max()) <= 0.9 + 1e-6  # no swing beyond a point


@pytest.mark.parametrize("points", ["0,0 1,1", "0,0 0.3,0.3 0.8,0.8 1,1"])
@pytest.mark.parametrize("channel", ["all", "lightness", "red"])
def test_a_straight_curve_changes_nothing(points: str, channel: str, chelsea: Tensor) -> None:
    torch.testing.assert_close(curves(chelsea, points=points, channel=channel), chelsea, rtol=0, atol=2e-5)


def test_a_negative_twice_is_the_picture(astronaut: Tensor) -> None:
    once = curves(astronaut, points="0,1 1,0")
    torch.testing.assert_close(once, 1 - astronaut, rtol=0, atol=1e-6)
    torch.testing.assert_close(curves(once, points="0,1 1,0"), astronaut, rtol=0, atol=1e-6)


def test_outside_the_points_it_is_level() -> None:
    out = curves(torch.tensor([0, 0.1, 0.9, 1]).view(1, 1, 1, 4), points="0.2,0.3 0.8,0.6")
    torch.testing.assert_close(out.flatten(), torch.tensor([0.3, 0.3, 0.6, 0.6]))


def test_one_channel_leaves_the_others(chelsea: Tensor) -> None:
    out = curves(chelsea, points="0,0.1 1,0.9", channel="blue")
    assert torch.equal(out[:, :2], chelsea[:, :2])
    torch.testing.assert_close(out[:, 2], 0.1 + 0.8 * chelsea[:, 2], rtol=0, atol=1e-6)


def test_lightness_keeps_colours(chelsea: Tensor) -> None:
    old, new = (
        to_oklab(x.movedim(1, -1)) for x in (chelsea, curves(chelsea, points="0,0.1 1,0.9", channel="lightness"))
    )
    torch.testing.assert_close(new[..., 0], 0.1 + 0.8 * old[..., 0], rtol=0, atol=2e-3)
    assert float((new[..., 1:] - old[..., 1:]).abs().quantile(0.99)) < 1e-3


@pytest.mark.parametrize(
    "points", ["", "0,0", "0,0 0,1", "0;0 1;1", "0,0 1,1.5", "0,0,0 1,1,1", "a,b c,d", "nan,0 1,1"]
)
def test_points_that_make_no_curve_are_refused(points: str) -> None:
    with pytest.raises(ParameterError, match="points"):
        curves(torch.rand(1, 1, 2, 2), points=points)

"""temperature puts white where a glowing body of that temperature is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import temperature
from danqing.maths.colour import brightness, to_linear


def chromaticity(x: Tensor) -> tuple[float, float]:
    """CIE 1931 (x, y) of the mean colour."""
    from skimage.color import rgb2xyz

    big = rgb2xyz(x.movedim(1, -1).numpy()).reshape(-1, 3).mean(0)
    return float(big[0] / big.sum()), float(big[1] / big.sum())


def test_daylight_changes_nothing(astronaut: Tensor) -> None:
    torch.testing.assert_close(temperature(astronaut, kelvin=6500.0), astronaut, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("kelvin", "x", "y"), [(2856, 0.4476, 0.4074), (4000, 0.3805, 0.3768), (10000, 0.2807, 0.2884)]
)
def test_white_gets_the_published_colour_of_a_glowing_body(kelvin: float, x: float, y: float) -> None:
    """Seen from the body of 6500 K, (0.3135, 0.3237), which daylight (0.3127, 0.3290) stands for."""
    found = chromaticity(temperature(torch.full((1, 3, 2, 2), 0.4), kelvin=float(kelvin)))
    assert found == pytest.approx((x, y), abs=0.012)


def test_grey_keeps_its_luminance() -> None:
    grey = torch.full((1, 3, 2, 2), 0.4)
    for kelvin in (3000.0, 5000.0, 9000.0):
        out = brightness(to_linear(temperature(grey, kelvin=kelvin, tint=0.3)))
        torch.testing.assert_close(out, brightness(to_linear(grey)), rtol=0, atol=1e-5)


def test_warmer_is_redder_and_tint_is_green_or_magenta(chelsea: Tensor) -> None:
    red, blue = ([float(temperature(chelsea, kelvin=k)[:, c].mean()) for k in (3000.0, 5000.0, 8000.0)] for c in (0, 2))
    assert red == sorted(red, reverse=True)
    assert blue == sorted(blue)
    green = [float(temperature(chelsea, kelvin=6500.0, tint=t)[:, 1].mean()) for t in (-0.5, 0.0, 0.5)]
    assert green == sorted(green, reverse=True)


def test_a_grey_picture_is_lit_as_well(camera: Tensor) -> None:
    assert temperature(camera, kelvin=3000.0).shape == (1, 3, 512, 512)

"""tone keeps light and dark, and gives them the colours asked for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import tone
from danqing.maths.colour import to_oklab

RAMP = torch.linspace(0, 1, 256).view(1, 1, 1, -1)


@pytest.mark.parametrize("style", ["sepia", "selenium", "cyanotype", "duotone"])
def test_lighter_stays_lighter(style: str) -> None:
    light = to_oklab(tone(RAMP, style=style).movedim(1, -1))[0, 0, :, 0]
    assert bool((light.diff() > -1e-4).all())
    assert float(light[-1] - light[0]) > 0.6


def test_sepia_is_brown_and_cyanotype_blue() -> None:
    red, green, blue = tone(torch.full((1, 1, 1, 1), 0.5)).flatten().tolist()
    assert red > green > blue
    red, green, blue = tone(torch.full((1, 1, 1, 1), 0.5), style="cyanotype").flatten().tolist()
    assert blue > green > red


def test_black_and_white_become_the_colours_given() -> None:
    out = tone(RAMP, style="duotone", dark="#1b1464", light="#ffe9c9")[0, :, 0]
    torch.testing.assert_close(255 * out[:, 0], torch.tensor([0x1B, 0x14, 0x64]).float(), rtol=0, atol=0.3)
    torch.testing.assert_close(255 * out[:, -1], torch.tensor([0xFF, 0xE9, 0xC9]).float(), rtol=0, atol=0.3)


def test_only_lightness_counts_and_strength_keeps_the_old_colours(chelsea: Tensor) -> None:
    torch.testing.assert_close(tone(chelsea, strength=0.0), chelsea, rtol=0, atol=1e-4)
    grey = tone(chelsea, style="duotone", dark="#000000", light="#ffffff")
    torch.testing.assert_close(
        to_oklab(grey.movedim(1, -1))[..., 0], to_oklab(chelsea.movedim(1, -1))[..., 0], rtol=0, atol=1e-3
    )
    assert float((grey.amax(1) - grey.amin(1)).max()) < 1e-3

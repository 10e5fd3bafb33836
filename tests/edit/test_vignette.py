"""vignette darkens outwards, evenly on all sides, and leaves the middle alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import vignette

WHITE = torch.ones(1, 1, 60, 100)


def test_the_middle_stays_and_corners_are_dark(astronaut: Tensor) -> None:
    out = vignette(astronaut, strength=1.0, size=0.9, softness=0.3)
    assert torch.equal(out[..., 206:306, 206:306], astronaut[..., 206:306, 206:306])
    assert float(out[..., 0, 0].max()) == 0
    assert torch.equal(vignette(astronaut, strength=0.0), astronaut)


def test_it_falls_outwards_and_is_symmetric() -> None:
    out = vignette(WHITE, strength=0.8)[0, 0]
    torch.testing.assert_close(out, out.flip(0))
    torch.testing.assert_close(out, out.flip(1))
    assert bool((out[30, 50:].diff() <= 1e-6).all())
    assert bool((out[30:, 50].diff() <= 1e-6).all())


def test_half_of_the_light_is_gone_at_its_size() -> None:
    out = vignette(torch.ones(1, 1, 201, 201), strength=1.0, size=0.5, softness=0.4)[0, 0]
    encoded_half = 1.055 * 0.5 ** (1 / 2.4) - 0.055
    assert float(out[100, 150]) == pytest.approx(encoded_half, abs=0.02)


def test_round_is_a_circle_and_not_round_fits_the_picture() -> None:
    circle = vignette(WHITE, strength=1.0, size=0.5, softness=0.0, roundness=1.0)[0, 0] > 0.5
    ellipse = vignette(WHITE, strength=1.0, size=0.5, softness=0.0, roundness=0.0)[0, 0] > 0.5
    assert (int(circle.any(0).sum()), int(circle.any(1).sum())) == (50, 50)
    assert (int(ellipse.any(0).sum()), int(ellipse.any(1).sum())) == (50, 30)


def test_it_fades_to_the_colour_given(chelsea: Tensor) -> None:
    out = vignette(chelsea, strength=1.0, size=0.5, softness=0.1, fill="#ff8000")
    torch.testing.assert_close(out[0, :, 0, 0], torch.tensor([1, 128 / 255, 0]), rtol=0, atol=1e-5)

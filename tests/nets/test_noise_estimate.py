"""The estimate of noise: right for white noise, near for that of cameras, little for texture."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import add_camera_noise
from danqing.maths.colour import brightness
from danqing.maths.noise import by_statistics
from danqing.nets.noise_estimate import MORE, estimate_noise


def noisy(x: Tensor, sigma: float) -> Tensor:
    return (x + sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def camera_noise(x: Tensor, **values: object) -> tuple[Tensor, float]:
    """A photograph with a camera's noise, and the root mean square of that, of 255."""
    taken, calm = (add_camera_noise(x, iso=iso, read=0, **values) for iso in (12800, 50))
    return taken, 255 * float((taken - calm).square().mean().sqrt())


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
def test_white_noise_is_left_to_the_statistics(sigma: float, astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut[..., :256, :256], chelsea[..., :256, :256]):
        spoilt = noisy(x, sigma)
        found = estimate_noise(spoilt)
        assert bool(found.white)
        torch.testing.assert_close(found.level, by_statistics(spoilt).float())
        assert torch.equal(found.told, found.level)


@pytest.mark.parametrize("finish", ["plain", "camera", "phone"])
def test_noise_of_cameras_is_found_which_statistics_miss(finish: str, astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut[..., :256, :256], chelsea[..., :256, :256]):
        spoilt, sigma = camera_noise(x, finish=finish)
        found = estimate_noise(spoilt)
        assert not bool(found.white)
        assert 255 * float(found.level) == pytest.approx(sigma, rel=0.4)
        torch.testing.assert_close(found.told, MORE * found.level)
        assert 255 * float(by_statistics(spoilt)) < 0.6 * sigma


def test_texture_is_not_taken_for_noise(astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut, chelsea, brightness(chelsea)):
        assert 255 * float(estimate_noise(x).told) < 2.5


def test_the_grain_of_cameras_is_coarser(chelsea: Tensor) -> None:
    white, taken = noisy(chelsea, 20), camera_noise(chelsea, finish="phone")[0]
    assert float(estimate_noise(white).noise.grain) < 0.15 < float(estimate_noise(taken).noise.grain)

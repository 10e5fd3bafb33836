"""Noise estimators find the noise that was put in, and agree with each other's definitions."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing.maths.noise import by_laplacians, by_patches, by_wavelets, laplacian_difference

ALL = [by_laplacians, by_patches, by_wavelets]


def noise(channels: int, height: int = 200, width: int = 240) -> Tensor:
    return torch.randn(2, channels, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("estimate", ALL)
@pytest.mark.parametrize("channels", [1, 3])
def test_noise_on_a_slope_is_found_within_four_in_a_hundred(
    estimate: Callable[[Tensor], Tensor], channels: int
) -> None:
    slope = torch.linspace(0.3, 0.7, 240).expand(2, channels, 200, 240)
    found = estimate(slope + 0.05 * noise(channels))
    torch.testing.assert_close(found, torch.full((2,), 0.05).double(), rtol=0.04, atol=0)


@pytest.mark.parametrize("estimate", ALL)
def test_it_scales_with_the_noise_and_is_zero_without(estimate: Callable[[Tensor], Tensor]) -> None:
    one, two = (estimate(0.5 + s * noise(1)) for s in (0.02, 0.04))
    torch.testing.assert_close(two, 2 * one, rtol=0.03, atol=0)
    assert float(estimate(torch.full((1, 3, 40, 40), 0.5))) == pytest.approx(0, abs=1e-6)


def test_the_laplacian_difference_agrees_with_scipy() -> None:
    from scipy.ndimage import convolve

    x = noise(1, 20, 30)
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)
    theirs = convolve(x[0, 0].double().numpy(), mask)[1:-1, 1:-1]
    np.testing.assert_allclose(laplacian_difference(x.double())[0, 0], theirs, atol=1e-9)


def test_what_is_too_small_is_not_known() -> None:
    for estimate in ALL:
        assert math.isnan(float(estimate(torch.rand(1, 3, 1, 2))))


def test_three_equal_channels_are_as_noisy_as_one() -> None:
    """A grey photograph in a colour file; its covariance has directions without any noise."""
    grey = 0.5 + 0.1 * torch.randn(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    alone, tripled = by_patches(grey), by_patches(grey.expand(-1, 3, -1, -1))
    assert torch.equal(alone, tripled)
    assert 0.09 < float(tripled) < 0.11


@pytest.mark.parametrize("sigma", [5, 15, 30])
def test_the_texture_of_a_grey_photograph_is_not_taken_for_noise(camera: Tensor, sigma: int) -> None:
    noisy = camera + sigma / 255 * torch.randn(camera.shape, generator=torch.Generator().manual_seed(0))
    assert 255 * float(by_patches(noisy.clamp(0, 1))) == pytest.approx(sigma, rel=0.06)

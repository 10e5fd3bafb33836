"""wavelet shrinks noise and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import wavelet


def noisy(x: Tensor, sigma: float) -> Tensor:
    return (x + sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def psnr(x: Tensor, clean: Tensor) -> float:
    return float(-10 * (x - clean).square().mean().log10())


@pytest.mark.parametrize("levels", [1, 2, 4, 5])
@pytest.mark.parametrize("size", [(1, 1), (5, 40), (64, 70)])
def test_without_noise_the_picture_comes_back(levels: int, size: tuple[int, int]) -> None:
    """The transform is undone exactly, at the borders too."""
    x = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(wavelet(x, sigma=1e-6, levels=levels), x, rtol=0, atol=1e-5)
    assert torch.equal(wavelet(x, sigma=0.0, levels=levels), x)


def test_it_goes_with_flips_and_shifts(camera: Tensor) -> None:
    x = noisy(camera[..., 50:250, 50:250], 20)
    clean = wavelet(x, sigma=20.0)
    torch.testing.assert_close(wavelet(x.transpose(2, 3), sigma=20.0), clean.transpose(2, 3), rtol=0, atol=1e-5)
    moved = wavelet(x[..., 3:, 5:], sigma=20.0)
    inner = slice(60, -60)
    torch.testing.assert_close(moved[..., inner, inner], clean[..., 3:, 5:][..., inner, inner], rtol=0, atol=1e-5)


def test_noise_alone_falls_to_what_the_coarsest_level_keeps() -> None:
    """Of white noise the coarsest band of 3 levels keeps 1/64 of the power, an eighth of sigma."""
    x = 0.5 + 10 / 255 * torch.randn(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    left = float(wavelet(x, sigma=10.0, levels=3).std()) / (10 / 255)
    assert 1 / 8 < left < 1 / 3


@pytest.mark.parametrize(("sigma", "gain"), [(15, 5.0), (25, 6.0), (50, 7.0)])
def test_a_noisy_photograph_gains(sigma: int, gain: float, chelsea: Tensor) -> None:
    x = noisy(chelsea, sigma)
    assert psnr(wavelet(x, sigma=float(sigma)), chelsea) > psnr(x, chelsea) + gain

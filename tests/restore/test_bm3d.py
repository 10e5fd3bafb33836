"""bm3d removes noise, keeps what is no noise, and leaves nothing out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import bm3d, nonlocal_means, wavelet
from danqing.core.operators.operator import operator_named
from danqing.core.operators.tiles import tiled


def noise(like: Tensor, sigma: float) -> Tensor:
    return sigma / 255 * torch.randn(like.shape, generator=torch.Generator().manual_seed(0))


def psnr(x: Tensor, clean: Tensor) -> float:
    return float(-10 * (x - clean).square().mean().log10())


@pytest.mark.parametrize(("sigma", "gain"), [(15, 6.0), (25, 7.0), (50, 9.0)])
def test_a_noisy_photograph_gains_more_than_by_other_filters(sigma: int, gain: float, chelsea: Tensor) -> None:
    part = chelsea[..., 60:220, 100:260]
    x = (part + noise(part, sigma)).clamp(0, 1)
    clean = psnr(bm3d(x, sigma=float(sigma)), part)
    assert clean > psnr(x, part) + gain
    assert clean > max(psnr(other(x, sigma=float(sigma)), part) for other in (wavelet, nonlocal_means)) + 0.5


def test_a_grey_photograph_gains(camera: Tensor) -> None:
    part = camera[..., 60:220, 180:340]
    x = (part + noise(part, 25)).clamp(0, 1)
    assert psnr(bm3d(x, sigma=25.0), part) > psnr(x, part) + 7


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (141, 23)])
@pytest.mark.parametrize("channels", [1, 3])
def test_without_noise_the_picture_comes_back(channels: int, size: tuple[int, int]) -> None:
    """Every block's way there and back is exact, at the borders and where bands meet too."""
    x = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(bm3d(x, sigma=1e-4), x, rtol=0, atol=1e-4)
    torch.testing.assert_close(bm3d(x / 2, sigma=1e-30), x / 2, rtol=0, atol=1e-4)
    assert torch.equal(bm3d(x, sigma=0.0), x)


def test_black_without_noise_stays_black() -> None:
    assert bm3d(torch.zeros(1, 3, 20, 30), sigma=1e-30).abs().max() < 1e-6


def test_noise_on_a_plain_area_all_but_vanishes() -> None:
    x = torch.full((1, 3, 160, 140), 0.5)
    left = (bm3d(x + noise(x, 20), sigma=20.0) - x) / (20 / 255)
    assert left.std() < 0.12
    assert left.mean().abs() < 0.01


def test_a_pattern_that_repeats_is_kept_better_than_its_noise_allows_alone() -> None:
    """Ten per cent of contrast under noise of the same size, which no single block could tell apart."""
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    clean = (0.5 + 0.1 * ((y // 3 + x // 3) % 2 - 0.5)).float()[None, None]
    found = bm3d(clean + noise(clean, 25), sigma=25.0)
    inner = (..., slice(8, -8), slice(8, -8))
    kept = torch.cov(torch.stack((found[inner].flatten(), clean[inner].flatten())))
    assert float(kept[0, 1] / kept[1, 1]) > 0.8
    assert psnr(found, clean) > psnr(clean + noise(clean, 25), clean) + 10


def test_colours_are_grouped_by_brightness(chelsea: Tensor) -> None:
    """Three equal channels with the same noise are a grey picture at √3 times its contrast and noise."""
    part = chelsea[:, :1, 60:130, 100:190]
    x = (part + noise(part, 10)).clamp(0, 1)
    off = (bm3d(x.repeat(1, 3, 1, 1), sigma=10 * 3**0.5) - bm3d(x, sigma=10.0)).abs()
    assert off.mean() < 2e-4  # rounding decides which of two blocks that are almost equally near is taken
    assert off.max() < 0.01


def test_bands_and_tiles_leave_no_seams(camera: Tensor) -> None:
    part = camera[..., 100:420, 150:300]
    x = (part + noise(part, 25)).clamp(0, 1)
    parts = tiled(operator_named("bm3d"), x, {"sigma": 25.0}, tile=160)
    assert (parts - bm3d(x, sigma=25.0)).abs().max() < 1 / 255

"""nonlocal_means is the mean weighted by the likeness of patches."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from skimage.restoration import denoise_nl_means
from torch import Tensor

from danqing import nonlocal_means


def noisy(x: Tensor, sigma: float) -> Tensor:
    return (x + sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def psnr(x: Tensor, clean: Tensor) -> float:
    return float(-10 * (x - clean).square().mean().log10())


def expected(x: Tensor, sigma: float, radius: int, patch: int, strength: float) -> Tensor:
    """The formula, displacement by displacement, in float64."""
    height, width = x.shape[-2:]
    margin = radius + patch
    around = ((0, 0), (margin, margin), (margin, margin))
    padded = torch.from_numpy(np.pad(x[0].double().numpy(), around, mode="symmetric"))
    patches = padded.unfold(1, 2 * patch + 1, 1).unfold(2, 2 * patch + 1, 1)
    middle = patches[:, radius : radius + height, radius : radius + width]
    total, weights = torch.zeros(x.shape[1:]).double(), torch.zeros(height, width).double()
    for down, right in itertools.product(range(2 * radius + 1), repeat=2):
        other = patches[:, down : down + height, right : right + width]
        unlike = ((other - middle) ** 2).mean((0, 3, 4)) - 2 * (sigma / 255) ** 2
        weight = torch.exp(-unlike.clamp(min=0) / (strength * sigma / 255) ** 2)
        weight[weight < math.exp(-5)] = 0
        total, weights = total + weight * other[..., patch, patch], weights + weight
    return (total / weights)[None].float()


@pytest.mark.parametrize(
    ("radius", "patch", "sigma", "strength"), [(2, 1, 10.0, 0.7), (5, 2, 25.0, 1.0), (1, 3, 40.0, 0.3)]
)
@pytest.mark.parametrize("size", [(40, 50), (3, 20)])
def test_it_agrees_with_the_formula(
    radius: int, patch: int, sigma: float, strength: float, size: tuple[int, int], chelsea: Tensor, camera: Tensor
) -> None:
    for photo in (chelsea, camera):
        x = noisy(photo[..., 100 : 100 + size[0], 150 : 150 + size[1]], sigma)
        ours = nonlocal_means(x, sigma=sigma, radius=radius, patch=patch, strength=strength)
        theirs = expected(x, sigma, radius, patch, strength)
        off = (ours - theirs).abs() > 1e-4
        assert off.float().mean() < 0.005  # weights at the very limit may fall on either side
        assert (ours - theirs).abs().max() < 0.02


def test_it_is_no_worse_than_scikit_image(chelsea: Tensor) -> None:
    part = chelsea[..., 60:220, 100:260]
    for sigma in (15, 25, 50):
        x = noisy(part, sigma)
        theirs = denoise_nl_means(
            x[0].numpy(), 5, 8, h=0.8 * sigma / 255, sigma=sigma / 255, fast_mode=True, channel_axis=0
        )  # fmt: skip
        ours = nonlocal_means(x, sigma=float(sigma))
        assert psnr(ours, part) > psnr(torch.from_numpy(theirs), part)


def test_like_patches_are_averaged_and_unlike_ones_are_not() -> None:
    stripes = (torch.arange(40) // 4 % 2 * 0.6 + 0.2).expand(1, 1, 40, 40).clone()
    torch.testing.assert_close(
        nonlocal_means(stripes, sigma=10.0), stripes, rtol=0, atol=441 * 2**-24
    )  # means of 21² terms
    x = noisy(stripes, 10)
    assert (nonlocal_means(x, sigma=10.0) - stripes).std() < 0.3 * (x - stripes).std()


def test_no_sigma_changes_nothing(astronaut: Tensor) -> None:
    assert torch.equal(nonlocal_means(astronaut, sigma=0.0), astronaut)


@pytest.mark.parametrize(("sigma", "gain"), [(15, 5.0), (25, 6.0), (50, 7.0)])
def test_a_noisy_photograph_gains(sigma: int, gain: float, chelsea: Tensor) -> None:
    part = chelsea[..., 60:220, 100:260]
    x = noisy(part, sigma)
    assert psnr(nonlocal_means(x, sigma=float(sigma)), part) > psnr(x, part) + gain

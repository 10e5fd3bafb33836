"""bilateral is the mean weighted by distance and difference, as the formula says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import bilateral


def expected(x: Tensor, radius: int, sigma: float) -> Tensor:
    """The formula, pixel by pixel, in float64."""
    picture = x[0].permute(1, 2, 0).double().numpy()
    padded = np.pad(picture, ((radius, radius), (radius, radius), (0, 0)), mode="symmetric")
    height, width, channels = picture.shape
    total, weights = np.zeros_like(picture), np.zeros((height, width, 1))
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dy**2 + dx**2 > radius**2:
                continue
            other = padded[radius + dy : radius + dy + height, radius + dx : radius + dx + width]
            unlike = np.abs(other - picture).sum(-1, keepdims=True) / channels
            weight = np.exp(-(dy**2 + dx**2) / (2 * (radius / 2) ** 2) - unlike**2 / (2 * (sigma / 255) ** 2))
            total, weights = total + weight * other, weights + weight
    return torch.from_numpy(total / weights).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize(("radius", "sigma"), [(1, 10.0), (4, 30.0), (6, 200.0)])
def test_it_agrees_with_the_formula(radius: int, sigma: float, chelsea: Tensor, camera: Tensor) -> None:
    for x in (chelsea[..., 40:80, 100:150], camera[..., 100:130, 200:240]):
        smooth = bilateral(x, radius=radius, sigma=sigma)
        torch.testing.assert_close(smooth, expected(x, radius, sigma), rtol=0, atol=2e-4)  # exp from a table


def test_no_sigma_changes_nothing(astronaut: Tensor) -> None:
    assert torch.equal(bilateral(astronaut, sigma=0.0), astronaut)


def test_noise_goes_and_edges_stay() -> None:
    edge = torch.full((1, 3, 60, 60), 0.2)
    edge[..., 30:] = 0.8
    noisy = edge + 0.04 * torch.randn(edge.shape, generator=torch.Generator().manual_seed(0))
    smooth = bilateral(noisy.clamp(0, 1), radius=5, sigma=30.0)
    assert (smooth - edge).std() < 0.02
    assert (smooth[..., 28:32] - edge[..., 28:32]).abs().max() < 0.1

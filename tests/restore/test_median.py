"""median is the exact median, by whichever of its three ways it is found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from danqing import median


def expected(x: Tensor, radius: int) -> Tensor:
    """SciPy's exact median with repeated border pixels."""
    return torch.from_numpy(ndimage.median_filter(x.numpy(), (1, 1, *[2 * radius + 1] * 2), mode="nearest"))


@pytest.mark.parametrize("radius", [1, 2, 3, 7, 15])
@pytest.mark.parametrize("levels", [2, 256, 65_536], ids=["black and white", "8 bits", "16 bits"])
def test_it_agrees_with_scipy(radius: int, levels: int) -> None:
    rng = torch.Generator().manual_seed(radius)
    x = torch.randint(levels, (2, 3, 45, 61), generator=rng).float() / (levels - 1)
    assert torch.equal(median(x, radius=radius), expected(x, radius))


@pytest.mark.parametrize("radius", [1, 3, 15])
def test_it_is_exact_on_a_photograph_with_noise_of_full_precision(radius: int, camera: Tensor) -> None:
    x = (
        camera[..., 200:330, 150:290] + 0.05 * torch.randn(130, 140, generator=torch.Generator().manual_seed(0))
    ).clamp(0, 1)
    assert torch.equal(median(x, radius=radius), expected(x, radius))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (40, 2), (3, 100)])
def test_it_agrees_with_scipy_on_pictures_smaller_than_the_window(size: tuple[int, int]) -> None:
    x = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0))
    for radius in (1, 4, 15):
        assert torch.equal(median(x, radius=radius), expected(x, radius))


@pytest.mark.parametrize("radius", [1, 2, 6])
def test_single_specks_are_removed_and_straight_edges_kept(radius: int) -> None:
    edge = torch.zeros(1, 3, 50, 60)
    edge[..., 30:] = 0.75
    specks = edge.clone()
    specks[..., 5::13, 7::14] = 1
    specks[..., 11::13, 13::14] = 0
    assert torch.equal(median(specks, radius=radius), edge)


def test_every_value_was_there_before_and_the_order_of_values_is_all_that_counts(astronaut: Tensor) -> None:
    x = astronaut[..., 100:200, 100:200]
    smooth = median(x, radius=4)
    for before, after in zip(x[0], smooth[0], strict=True):
        assert set(after.unique().tolist()) <= set(before.unique().tolist())
    assert torch.equal(median(x.square(), radius=4), smooth.square())  # a median goes through monotone maps
    torch.testing.assert_close(median(1 - x, radius=4), 1 - smooth, rtol=0, atol=1e-7)


def test_salt_and_pepper_on_a_photograph_is_mended(astronaut: Tensor) -> None:
    """A fifth of all pixels black or white, PSNR 12 dB: the median finds back to more than 25 dB."""
    chance = torch.rand(512, 512, generator=torch.Generator().manual_seed(0))
    noisy = astronaut.masked_fill(chance < 0.1, 0).masked_fill(chance > 0.9, 1)
    gain = [-10 * np.log10(float((y - astronaut).square().mean())) for y in (noisy, median(noisy, radius=1))]
    assert gain[0] < 13
    assert gain[1] > 25

"""A grid stands out in the spectrum of pictures, and nothing does where there is none."""

from __future__ import annotations

import pytest
import torch

from danqing.maths.spectrum import grid_strength


@pytest.mark.parametrize("period", [2, 4, 8])
@pytest.mark.parametrize("dim", [-1, -2])
def test_a_grid_is_seen_along_either_axis(period: int, dim: int) -> None:
    x = torch.rand(4, 3, 64, 72, generator=torch.Generator().manual_seed(0))
    comb = (torch.arange(x.shape[dim]) % period == 0).float()
    grid = 0.1 * period * comb.view([-1 if axis == dim + 4 else 1 for axis in range(4)])
    assert grid_strength(x) < 2
    assert grid_strength(x + grid) > 4


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_pictures_of_one_colour_have_none(value: float) -> None:
    assert 0.5 < grid_strength(torch.full((2, 3, 32, 32), value)) < 2


def test_pictures_too_small_to_tell_have_none() -> None:
    assert grid_strength(torch.rand(2, 3, 15, 64)) == 1

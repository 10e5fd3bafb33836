"""Grids: those that repeat, and lines at the same place in every picture; and nothing where there is none."""

from __future__ import annotations

import pytest
import torch

from danqing.maths.spectrum import fixed_lines, grid_strength


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


def noise(count: int = 256, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) + 0.5


def test_noise_has_neither() -> None:
    assert abs(fixed_lines(noise())) < 0.02  # unbiased: chance of both signs, a 256th and its like
    assert grid_strength(noise()) < 2


def test_the_same_lines_in_all_pictures_are_all_there_is() -> None:
    one = noise(1).expand(8, -1, -1, -1)
    assert abs(fixed_lines(one) - 1) < 1e-4


def test_a_line_at_one_place_in_all_is_found_though_it_has_no_period_and_lines_of_each_are_not() -> None:
    crossed, own = noise(), noise()
    crossed[..., 17] += 0.3
    at = torch.arange(len(own)) % 20 + 6
    own[torch.arange(len(own)), ..., at] += 0.3
    assert fixed_lines(crossed) > 0.8
    assert fixed_lines(own) < 0.1


def test_a_repeated_grid_is_found_by_both() -> None:
    x = noise()
    x[..., ::4] += 0.4
    assert grid_strength(x) > 10
    assert fixed_lines(x) > 0.5

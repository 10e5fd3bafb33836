"""Grids: those that repeat, and lines that stand at the same place in every picture."""

import torch

from danqing.maths.spectrum import fixed_lines, grid_strength


def noise(count=256, seed=0):
    return 0.1 * torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) + 0.5


def test_noise_has_neither():
    assert abs(fixed_lines(noise())) < 0.02  # unbiased: chance of both signs, a 256th and its like
    assert grid_strength(noise()) < 2


def test_the_same_lines_in_all_pictures_are_all_there_is():
    one = noise(1).expand(8, -1, -1, -1)
    assert abs(fixed_lines(one) - 1) < 1e-4


def test_a_line_at_one_place_in_all_is_found_though_it_has_no_period_and_lines_of_each_are_not():
    crossed, own = noise(), noise()
    crossed[..., 17] += 0.3
    at = torch.arange(len(own)) % 20 + 6
    own[torch.arange(len(own)), ..., at] += 0.3
    assert fixed_lines(crossed) > 0.8
    assert fixed_lines(own) < 0.1


def test_a_repeated_grid_is_found_by_both():
    x = noise()
    x[..., ::4] += 0.4
    assert grid_strength(x) > 10
    assert fixed_lines(x) > 0.5

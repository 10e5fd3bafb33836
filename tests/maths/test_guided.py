"""Enlarging along the edges of a guide."""

import torch
from torch import Generator
from torch.nn import functional

from danqing.maths.guided import enlarged_along


def guide(side: int) -> torch.Tensor:
    """A bright square on a dark ground, (1, 1, side, side)."""
    x = torch.full((1, 1, side, side), 0.2)
    x[..., side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = 0.8
    return x


def test_what_is_linear_in_the_guide_has_its_edges():
    large, small = guide(128), guide(32)
    wanted = 0.1 + 0.5 * large
    error = (enlarged_along(0.1 + 0.5 * small, small, large) - wanted).abs().max()
    smooth = functional.interpolate(0.1 + 0.5 * small, size=(128, 128), mode="bilinear")
    assert error < 0.04
    assert error < (smooth - wanted).abs().max() / 2


def test_what_is_even_stays_even_whatever_the_guide():
    rng = Generator().manual_seed(0)
    small, large = torch.rand(2, 1, 20, 30, generator=rng), torch.rand(2, 1, 77, 95, generator=rng)
    found = enlarged_along(torch.full((2, 3, 20, 30), 0.3), small, large)
    assert found.shape == (2, 3, 77, 95)
    torch.testing.assert_close(found, torch.full_like(found, 0.3))


def test_one_pixel_is_enough():
    found = enlarged_along(torch.full((1, 3, 1, 1), 0.3), torch.full((1, 1, 1, 1), 0.5), torch.rand(1, 1, 4, 9))
    torch.testing.assert_close(found, torch.full((1, 3, 4, 9), 0.3))

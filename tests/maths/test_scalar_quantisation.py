"""Finite scalar quantisation: the levels, what is nearest, and slopes that pass."""

import pytest
import torch

from danqing.maths.scalar_quantisation import levelled


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 8, 17])
def test_there_are_just_so_many_levels_evenly_spaced_and_the_nearest_is_taken(levels):
    z = torch.linspace(-4, 4, 2001)
    made = levelled(z, levels)
    wanted = torch.linspace(-1, 1, levels)
    nearest = (made[:, None] - wanted).abs()
    assert float(nearest.min(1).values.max()) < 1e-6
    assert nearest.argmin(1).unique().tolist() == list(range(levels))
    assert float((made - z.tanh()).abs().max()) <= 1 / (levels - 1) + 1e-6  # half the way between two levels
    assert bool((made.diff() >= -1e-6).all())


def test_what_is_levelled_stays_and_unit_deviation_uses_every_level():
    z = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    made = levelled(z, 8)
    inside = made.abs() < 1
    torch.testing.assert_close(levelled(made[inside].atanh(), 8), made[inside], rtol=0, atol=1e-6)
    shares = torch.bincount(((made + 1) * 3.5).round().long(), minlength=8) / len(z)
    assert float(shares.min()) > 0.25 / 8


def test_slopes_pass_the_rounding_as_those_of_the_tangent():
    z = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    levelled(z, 5).sum().backward()
    torch.testing.assert_close(z.grad, 1 - z.detach().tanh().square())

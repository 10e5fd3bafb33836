"""Latents by number: the same whatever else is drawn, and Gaussian."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from scipy import stats

from danqing.core.learned.latent_space import arc
from danqing.maths.latents import latent, random_class


def test_a_latent_depends_on_its_numbers_alone() -> None:
    first = latent((64,), 7, 3)
    latent((64,), 7, 2)
    torch.manual_seed(1)
    assert torch.equal(first, latent((64,), 7, 3))
    others = [latent((64,), 7, 4), latent((64,), 8, 3), latent((64,), 3, 7), latent((64,), 7 + 2**40, 3)]
    assert all(float((first - other).abs().min()) > 0 for other in others)


def test_latents_are_the_recorded_ones() -> None:
    """Seeds that people noted down must go on painting the same pictures."""
    torch.testing.assert_close(latent((3,), 7, 3), torch.tensor([1.3521470, -0.4811932, 0.6250172]))
    assert [random_class(10, 7, index) for index in range(8)] == [7, 8, 2, 4, 0, 9, 3, 7]


def test_latents_are_unit_gaussian_and_unrelated() -> None:
    drawn = torch.stack([latent((16,), seed, index) for seed in (0, 1) for index in range(500)])
    assert stats.kstest(drawn.flatten().numpy(), "norm").pvalue > 1e-3
    neighbours = torch.corrcoef(torch.stack([drawn[:-1].flatten(), drawn[1:].flatten()]))[0, 1]
    assert abs(float(neighbours)) < 4 / math.sqrt(drawn.numel())


def test_classes_are_drawn_evenly_and_apart_from_the_latents() -> None:
    drawn = torch.tensor([random_class(10, 5, index) for index in range(5000)])
    assert stats.chisquare(torch.bincount(drawn, minlength=10).numpy()).pvalue > 1e-3


def test_an_arc_keeps_to_the_sphere_and_goes_at_an_even_pace() -> None:
    a, b = (point / point.norm() * 3 for point in (latent((8,), 0, 0), latent((8,), 0, 1)))
    path = [arc(a, b, torch.tensor(share), 8) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    torch.testing.assert_close(path[0], a)
    torch.testing.assert_close(path[-1], b)
    assert [float(point.norm()) for point in path] == pytest.approx([3.0] * 5, rel=1e-5)
    legs = [float((one - other).norm()) for one, other in pairwise(path)]
    assert legs == pytest.approx([legs[0]] * 4, rel=1e-4)


def test_an_arc_stays_finite_where_none_is_defined() -> None:
    a, half = latent((8,), 0, 0), torch.tensor(0.5)
    for b in (a, -a, a * 2, torch.zeros(8)):
        assert arc(a, b, half, 8).isfinite().all()
    torch.testing.assert_close(arc(a, a * 2, half, 8), a * 1.5)

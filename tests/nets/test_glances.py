"""Glances: shapes, shifts, and that chance takes the grid out of a frozen net's gradients."""

from itertools import chain

import pytest
import torch

from danqing.maths.spectrum import grid_strength
from danqing.nets.glances import PATCHES, Glance, drawn_glance, shifted, views


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [16, 28, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_views_of_any_size_are_finite_and_each_picture_is_seen_alone(size, channels):
    x = torch.rand(3, channels, size, size, generator=seeded())
    glance = drawn_glance(size, seeded())
    seen = [*chain(*views(x, glance))]
    assert [each.shape[:2] for each in seen] == [
        (16, 3), (16, 3), (4, 3), (1, 3), (1, 3), (1, 3), (PATCHES, 3), (PATCHES, 3),
    ]  # fmt: skip
    assert all(each.isfinite().all() and each.dtype == torch.float32 for each in seen)
    for both, alone in zip(seen, chain(*views(x[1:2], glance)), strict=True):
        torch.testing.assert_close(both[:, 1:2], alone, rtol=1e-4, atol=1e-4)


def test_shifting_mirrors_what_comes_in():
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert shifted(x, (0, 0)) is x
    assert shifted(x, (1, 0))[0, 0].tolist() == [[3, 4, 5], [0, 1, 2], [3, 4, 5]]
    assert shifted(x, (0, -1))[0, 0].tolist() == [[1, 2, 1], [4, 5, 4], [7, 8, 7]]


def test_glances_come_from_the_generator_alone():
    before = torch.get_rng_state()
    first, again, other = drawn_glance(64, seeded(1)), drawn_glance(64, seeded(1)), drawn_glance(64, seeded(2))
    assert torch.equal(first.corners, again.corners)
    assert first[:2] == again[:2]
    assert not torch.equal(first.corners, other.corners)
    assert torch.equal(torch.get_rng_state(), before)


def test_by_chance_a_frozen_nets_gradients_leave_no_grid():
    """How much each pixel is told, seen from one place, repeats with the net's strides; from many it does not."""
    x = 0.5 + 0.1 * torch.randn(4, 3, 64, 64, generator=seeded())

    def told(glances):
        total = torch.zeros(1, 1, 64, 64)
        for at, glance in enumerate(glances):
            each = x.clone().requires_grad_()
            sum((v * torch.randn(v.shape, generator=seeded(at))).sum() for v in views(each, glance)[0]).backward()
            total += each.grad.square().mean((0, 1), keepdim=True)
        return grid_strength(total.sqrt())

    rng = seeded(3)
    still = [Glance(64, (0, 0), torch.zeros(PATCHES, 2, 2), (0, 0))] * 24
    moving = [drawn_glance(64, rng) for _ in range(24)]
    assert told(still) > 4  # what the doctor's alarm calls a grid
    assert told(moving) < 2

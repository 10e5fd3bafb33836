"""The fade meter: what it keeps, what it learns from, and that it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.models.fademeter import FRESH, FadeMeter, old
from danqing.training.step import Stepper


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def meter() -> FadeMeter:
    torch.manual_seed(0)
    return FadeMeter(size=32, patch=32, width=8)


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 37), (3, 17, 30)])
def test_any_picture_is_measured(shape: tuple[int, int, int]) -> None:
    found = meter().eval().measure(torch.rand(2, *shape, generator=seeded()))
    assert found.fade.kept.shape == found.fade.paper.shape == (2, 3)
    assert found.odds.shape == (2,)
    assert (found.fade.kept > 0).all()


def test_it_learns_from_faded_pictures_and_fresh_ones(chelsea: Tensor) -> None:
    x, fade = old(chelsea[..., :48, :48].repeat(96, 1, 1, 1), seeded())
    fresh = fade.kept.amin(1) == 1
    assert 0.6 * FRESH < fresh.float().mean() < 1.4 * FRESH
    assert torch.equal(fade.paper[fresh], torch.ones_like(fade.paper[fresh]))
    assert fade.kept[~fresh].max() < 1
    assert x.min() >= 0
    assert x.max() <= 1


def test_it_learns_how_far_dyes_have_bleached_with_all_its_weights() -> None:
    """From pictures that hold all of the densities, the span that is left tells."""
    net, rng = meter(), seeded()
    ramp = torch.rand(16, 3, 32, 32, generator=rng)
    before = net.eval().score(Samples(ramp))["off"]
    stepper = Stepper(net.train(), Optimiser(lr=5e-3, betas=(0.9, 0.99)), "fp32", clip=1.0)
    for _ in range(100):
        stepper.step(Samples(ramp), rng)
    assert net.eval().score(Samples(ramp))["off"] < before / 2
    net.train()
    next(net.losses(Samples(ramp), rng))[1].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_a_patch_must_fit() -> None:
    with pytest.raises(ParameterError, match="larger than the squares"):
        FadeMeter(size=64, patch=96)

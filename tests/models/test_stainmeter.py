"""The stainmeter: what it keeps, what it learns from, and that it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.maths.stains import unstained
from danqing.models.stainmeter import StainMeter, stained
from danqing.training.step import Stepper
from tests.models.things import unmoved_by


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def meter() -> StainMeter:
    torch.manual_seed(0)
    return StainMeter(size=64, patch=64)


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 37), (3, 17, 30)])
def test_any_picture_is_measured(shape: tuple[int, int, int]) -> None:
    said = meter().eval().measure(torch.rand(2, *shape, generator=seeded()))
    assert said.density.shape == (2, 3, *shape[1:])
    assert said.odds.shape == said.ink.shape == (2, 1, *shape[1:])
    assert said.density.min() >= 0


@pytest.mark.parametrize("place", [192, 199, 203, 207])
def test_it_looks_no_further_than_it_says(place: int) -> None:
    net = meter().eval()
    torch.nn.init.normal_(net.net.tail.weight)
    x = torch.rand(1, 3, 400, 400, generator=seeded())
    other = x.clone()
    other[..., place, place] = 1 - other[..., place, place]
    changed = (torch.cat(net.measure(x), 1) - torch.cat(net.measure(other), 1)).abs().amax((0, 1)) > 0
    far = int((changed.nonzero() - place).abs().max())
    assert net.reach / 2 < far <= net.reach


def test_it_learns_from_stained_pictures_some_of_them_unstained_or_grey(chelsea: Tensor) -> None:
    clean = chelsea[..., :96, :96].repeat(48, 1, 1, 1)
    x, density, inked = stained(clean, seeded())
    share = (density.amax(1) > 0.05).float().mean((1, 2))
    assert 0.15 < (density.amax((1, 2, 3)) == 0).float().mean() < 0.6
    assert 0.05 < share.mean() < 0.5
    assert 0 < inked.mean() < 0.02
    grey = (clean.shape[0] - (x - x.mean(1, keepdim=True)).abs().amax((1, 2, 3)).gt(0.1).sum()) / clean.shape[0]
    assert 0 < grey < 0.6
    assert x.min() >= 0
    assert x.max() <= 1


def test_what_it_learns_is_what_was_taken(chelsea: Tensor) -> None:
    """Where nothing else was done to a picture, giving the light back makes it what it was, but where ink hides it."""
    clean = chelsea[..., :96, :96].repeat(64, 1, 1, 1)
    x, density, inked = stained(clean, seeded(3))
    gaps = ((unstained(x, density) - clean).abs() * (inked == 0)).amax((1, 2, 3))
    taken = (x - clean).abs().amax((1, 2, 3)) > 0.05
    assert (gaps[taken & (density.amax((1, 2, 3)) > 0)] < 2 / 255).any()  # untouched by fading, noise and JPEG


@pytest.mark.slow
def test_it_learns_stains_on_plain_ground() -> None:
    net, rng = meter(), seeded()
    ground = (0.5 + 0.5 * torch.rand(64, 3, 1, 1, generator=rng)).expand(-1, -1, 64, 64).contiguous()
    before = net.eval().score(Samples(ground))
    stepper = Stepper(net.train(), Optimiser(lr=3e-3, betas=(0.9, 0.99), muon=0.015), "fp32", clip=1.0)
    for _ in range(90):
        stepper.step(Samples(ground[:16]), rng)
    found = net.eval().score(Samples(ground))
    assert found["left"] < 0.9 < 1.1 < before["left"]
    both = found["recall"] + found["precision"]  # at one threshold, rounding moves the one against the other
    assert 2 * found["recall"] * found["precision"] / both > 0.5
    assert found["ink"] > 0.6


def test_every_weight_receives_gradient() -> None:
    ground = (0.5 + 0.5 * torch.rand(16, 3, 1, 1, generator=seeded())).expand(-1, -1, 64, 64)
    assert unmoved_by(meter(), Samples(ground.contiguous())) == []


def test_a_patch_must_fit() -> None:
    with pytest.raises(ParameterError, match="larger than the squares"):
        StainMeter(size=64, patch=96)

"""The noise meter: what it keeps, what it learns from, and that it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.models.noisemeter import NoiseMeter, noisy, true_noise
from danqing.training.step import Stepper
from tests.models.things import unmoved_by


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def meter() -> NoiseMeter:
    torch.manual_seed(0)
    return NoiseMeter(size=48, patch=48, width=16)


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 37), (3, 17, 30), (1, 64, 64)])
def test_any_picture_is_measured(shape: tuple[int, int, int]) -> None:
    found = meter().eval().measure(torch.rand(2, *shape, generator=seeded()))
    assert found.sigma.shape == (2, 3)
    assert found.sigma.min() >= 0
    assert found.level.shape == found.grain.shape == (2,)
    assert ((found.grain >= 0) & (found.grain <= 1)).all()


def test_grey_is_three_equal_channels_and_pictures_do_not_meet() -> None:
    x, net = torch.rand(3, 1, 40, 48, generator=seeded()), meter().eval()
    torch.testing.assert_close(net.measure(x).sigma, net.measure(x.expand(-1, 3, -1, -1)).sigma)
    torch.testing.assert_close(net.measure(x)[0][1:2], net.measure(x[1:2])[0])


def test_true_noise_is_measured_in_its_colour() -> None:
    noise = torch.randn(1, 3, 96, 192, generator=seeded()) * torch.tensor([0.1, 0.05, 0.02]).view(1, 3, 1, 1)
    found = true_noise(noise)
    torch.testing.assert_close(found.sigma[0], torch.tensor([0.1, 0.05, 0.02]), rtol=0.03, atol=0)
    torch.testing.assert_close(found.level, (found.sigma.square().mean(1)).sqrt())
    assert float(found.grain) < 0.02
    coarse = torch.nn.functional.avg_pool2d(noise, 2, 1)
    assert float(true_noise(coarse).grain) == pytest.approx(0.5, abs=0.02)  # half of its pixels are shared


def test_what_is_learned_from_is_what_it_says(chelsea: Tensor) -> None:
    clean = chelsea[..., :48, :48].repeat(64, 1, 1, 1)
    x, noise = noisy(clean, seeded())
    assert x.min() >= 0
    assert x.max() <= 1
    none = noise.square().mean((1, 2, 3)) == 0
    assert 0.05 < none.float().mean() < 0.3
    grain = true_noise(noise).grain[~none]
    assert (grain < 0.1).any()
    assert (grain > 0.2).any()


@pytest.mark.slow
def test_it_learns_the_strength_of_noise_on_plain_pictures() -> None:
    net, rng = meter(), seeded()
    flat = torch.rand(16, 3, 1, 1, generator=rng).expand(-1, -1, 48, 48).contiguous()
    before = net.eval().score(Samples(flat))["off"]
    stepper = Stepper(net.train(), Optimiser(lr=3e-3, betas=(0.9, 0.99)), "fp32", clip=1.0)
    for _ in range(120):
        stepper.step(Samples(flat), rng)
    assert net.eval().score(Samples(flat))["off"] < min(0.35, before / 3)


def test_every_weight_receives_gradient() -> None:
    ground = torch.rand(16, 3, 1, 1, generator=seeded()).expand(-1, -1, 48, 48)
    assert unmoved_by(meter(), Samples(ground.contiguous())) == []


def test_a_patch_must_fit() -> None:
    with pytest.raises(ParameterError, match="larger than the squares"):
        NoiseMeter(size=64, patch=96)

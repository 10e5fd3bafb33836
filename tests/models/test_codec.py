"""The codec: small maps of unit deviation, from which pictures of any size come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import danqing
from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.painting import Autoencoder
from danqing.core.learned.weights import load, save
from danqing.models.codec import Codec
from danqing.training.step import Stepper


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model(**params: Any) -> Codec:
    torch.manual_seed(0)
    return Codec(**{"size": 16, "channels": 3, "width": 16, "perceptual": 0.0, **params})


def discs(count: int, seed: int) -> Samples:
    """Bright discs anywhere on dark grounds of any colour (16 px)."""
    rng = seeded(seed)
    ground, colour = (torch.rand(count, 3, 1, 1, generator=rng) * 0.4 + each for each in (0.0, 0.6))
    middle, radius = torch.rand(count, 2, 1, 1, generator=rng) * 8 + 4, torch.rand(count, 1, 1, generator=rng) * 3 + 2
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    inside = (rows - middle[:, 0]).square() + (columns - middle[:, 1]).square() < radius.square()
    return Samples(torch.where(inside[:, None], colour, ground))


@torch.enable_grad()
def learned(levels: int, steps: int = 150) -> Codec:
    net = model(levels=levels).train()
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    for step in range(steps):
        stepper.step(discs(16, step), rng, 1 - step / steps)
    return net.eval()


@pytest.mark.parametrize("levels", [0, 6])
@torch.no_grad()
def test_it_paints_again_what_it_never_saw_from_a_twelfth_of_the_numbers(levels: int) -> None:
    """The oracle: as many numbers spent on a quarter of the side, enlarged smoothly."""
    net, x = learned(levels), discs(64, 99_999).x
    z = net.locate(x)
    assert z[0].numel() * 12 == x[0].numel()
    error = (net.decode(z) - x).square().mean()
    blurred = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(x, 4), scale_factor=4.0, mode="bilinear")
    assert float(error) < 0.75 * float((blurred - x).square().mean())
    flat = x.mean((0, 2, 3), keepdim=True)
    assert float(error) < 0.25 * float((flat - x).square().mean())
    assert z.std((0, 2, 3)).tolist() == pytest.approx([1.0] * 4, abs=0.15)
    assert z.mean((0, 2, 3)).tolist() == pytest.approx([0.0] * 4, abs=0.15)
    assert net.score(Samples(x))["-psnr"] < -17


@pytest.mark.parametrize("size", [8, 28, 33])
@pytest.mark.parametrize(("channels", "halvings", "levels"), [(1, 1, 0), (3, 2, 5), (1, 3, 0)])
def test_any_size_and_every_parameter_learns(size: int, channels: int, halvings: int, levels: int) -> None:
    net = model(size=size, channels=channels, halvings=halvings, levels=levels)
    x = torch.rand(4, channels, size, size, generator=seeded())
    ((_, loss),) = net.losses(Samples(x, torch.tensor([0, 1, 2, 3])), seeded())
    loss.backward()
    assert not [name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
    with torch.no_grad():
        z = net.eval().locate(x)
        assert tuple(z.shape[1:]) == net.latent
        assert net.decode(z).shape == x.shape


def test_the_loss_is_the_weighted_sum_of_its_readings() -> None:
    net, batch = model(perceptual=0.5, kl=0.1), discs(8, 0)
    ((_, loss),) = net.losses(batch, seeded())
    readings = net.readings()
    assert readings["perceptual"] > 0.01
    told = readings["error"] + 0.1 * readings["kl"] + 0.5 * readings["perceptual"]
    assert float(loss.detach()) == pytest.approx(told, rel=1e-5)


def test_the_net_that_looks_is_no_part_of_it_and_chance_comes_from_the_generator_alone() -> None:
    net, batch = model(perceptual=0.5), discs(4, 0)
    assert net.state_dict().keys() == model().state_dict().keys()
    before = torch.get_rng_state()
    losses = [float(next(net.losses(batch, seeded(each)))[1].detach()) for each in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1] != losses[2]


def test_half_precision_gives_full_losses() -> None:
    net = model(perceptual=0.3)
    with torch.autocast("cpu", torch.bfloat16):
        loss = next(net.losses(discs(4, 0), seeded()))[1]
    assert loss.dtype == torch.float32
    assert bool(loss.isfinite())


@torch.no_grad()
def test_a_saved_one_writes_and_paints_the_same_and_takes_pictures_of_other_shapes(tmp_path: Path) -> None:
    net = model(levels=4).eval()
    again = load(save(net, tmp_path / "a.safetensors"), kind=Autoencoder)  # type: ignore[type-abstract]
    x: Tensor = torch.rand(2, 1, 20, 31, generator=seeded())
    assert again.config == net.config
    assert torch.equal(again.locate(x), net.locate(x))
    assert danqing.reconstruct(x, again).shape == (2, 3, 16, 16)
    assert torch.equal(danqing.reconstruct(x, again), torch.cat([net.reconstruct(each) for each in x.split(1)]))


@torch.no_grad()
def test_the_way_between_two_pictures_starts_and_ends_at_what_it_makes_of_them() -> None:
    net, x = model().eval(), discs(2, 3).x
    path = net.between(x[:1], x[1:], torch.linspace(0, 1, 3))
    again = net.reconstruct(x)
    torch.testing.assert_close(path[::2], again, rtol=1e-4, atol=1e-5)
    film = danqing.morph(x[:1], x[1:], net, frames=3)
    torch.testing.assert_close(torch.cat(list(film.frames)), path, rtol=1e-4, atol=1e-5)


def test_it_paints_nothing_new_and_says_what_does(tmp_path: Path) -> None:
    file = save(model().eval(), tmp_path / "a.safetensors")
    with pytest.raises(ModelFileError, match="is a codec, not a generator") as refusal:
        danqing.generate(str(file), count=1)
    assert "danqing train flow" in refusal.value.remedy


@pytest.mark.parametrize(
    ("given", "where"), [({"channels": 2}, "channels"), ({"width": 20}, "width"), ({"levels": 1}, "levels")]
)
def test_refuses_what_cannot_be(given: dict[str, Any], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        model(**given)
    assert caught.value.where == where

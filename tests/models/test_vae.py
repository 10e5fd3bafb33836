"""The variational autoencoder: learns toy sets whose best score is known, and keeps its promises."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Painter, Samples
from danqing.core.learned.weights import load, save
from danqing.models.vae import VAE

SHAPES = [
    ("conv", 16, 1),
    ("conv", 28, 1),
    ("conv", 32, 3),
    ("conv", 64, 3),
    ("conv", 128, 1),
    ("conv", 256, 1),
    ("dense", 8, 1),
]
SHAPES += [("dense", 28, 3), ("dense", 19, 1)]


def patterns(count: int, seed: int) -> Samples:
    """One of four black-and-white pictures (8 × 8), all equally likely: their entropy is log 4 nats."""
    four = (torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(77)) > 0.5).float()
    label = torch.randint(4, (count,), generator=torch.Generator().manual_seed(seed))
    return Samples(four[label], label)


def trained(model: VAE, steps: int, batch: Any) -> VAE:
    rng = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 1e-2 * (1 - step / steps)
        ((_, loss),) = model.losses(batch(step), rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


@pytest.fixture(scope="module")
def painter_of_patterns() -> VAE:
    torch.manual_seed(0)
    model = VAE(8, 1, net="dense", dim=2, width=4, likelihood="bernoulli", warmup=5000)
    return trained(model, 400, lambda step: patterns(32, step))


@pytest.fixture(scope="module")
def conditional() -> VAE:
    torch.manual_seed(0)
    model = VAE(8, 1, classes=4, net="dense", dim=2, width=4, likelihood="bernoulli", warmup=0)
    return trained(model, 200, lambda step: patterns(32, step))


@torch.no_grad()
def test_comes_near_the_entropy_of_its_pictures_but_never_below(painter_of_patterns: VAE) -> None:
    """A bound lies above log 4 nats; four Gaussians cannot tile the plane, which costs about one more.

    Grey pictures, or one pattern for all, would cost tens of nats.
    """
    nats = painter_of_patterns.score(patterns(4000, 10_001))["-elbo_nats"]
    assert math.log(4) <= nats < math.log(4) + 2


@torch.no_grad()
def test_paints_every_pattern_it_saw(painter_of_patterns: VAE) -> None:
    """Grey in the middle of all four would be far from each; one pattern alone would leave three out."""
    painted = painter_of_patterns.sample(400, torch.Generator().manual_seed(1))
    known = patterns(200, 0)
    four = torch.stack([known.x[known.y == each][0] for each in range(4)])
    distances = (painted[:, None] - four[None]).abs().flatten(2).mean(2)  # (400, 4)
    assert float((distances.min(1).values < 0.1).float().mean()) > 0.6
    assert int(torch.bincount(distances.argmin(1), minlength=4).min()) > 40


@torch.no_grad()
def test_a_conditional_one_paints_and_names_the_class_asked_for(conditional: VAE) -> None:
    batch = patterns(40, 5)
    painted = conditional.sample(40, torch.Generator().manual_seed(1), batch.y)
    assert float((painted - batch.x).abs().mean()) < 0.05
    assert torch.equal(conditional.likeliest(batch.x), batch.y)
    assert float((conditional.reconstruct(batch.x) - batch.x).abs().mean()) < 0.05
    # Nothing is left to say once the class is known: the entropy is 0.
    assert conditional.score(batch)["-elbo_nats"] < 1.0


def test_learns_the_noise_and_the_bits_of_8_bit_pictures() -> None:
    """Grey with noise of a known sigma: the learnt sigma and the bits per pixel have closed forms."""
    torch.manual_seed(0)
    sigma = 12.0

    def noise(seed: int, count: int = 64) -> Samples:
        drawn = torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
        return Samples(((0.4 * 255 + sigma * drawn).round().clamp(0, 255)) / 255)

    model = trained(VAE(8, 1, net="dense", dim=1, width=4, likelihood="gaussian", warmup=0), 300, noise)
    with torch.no_grad():
        bits = model.score(noise(9999, 1000))["bits_per_pixel"]
    entropy = math.log2(sigma * math.sqrt(2 * math.pi * math.e))
    assert entropy - 0.02 < bits < entropy + 0.06
    assert model.readings()["sigma"] == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize(("net", "size", "channels"), SHAPES)
@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_every_parameter_receives_gradient_at_every_size(net: str, size: int, channels: int, likelihood: str) -> None:
    classes = 3 if channels == 1 else 0
    model = VAE(size, channels, classes, net=net, dim=5, width=4, likelihood=likelihood, warmup=0)
    x = torch.rand(4, channels, size, size, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 1, 2, 0])
    ((_, loss),) = model.losses(Samples(x, label), torch.Generator().manual_seed(0))
    loss.backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
    with torch.no_grad():
        painted = model.eval().paint(torch.randn(2, *model.latent), torch.tensor([0, 2]) if classes else None)
    assert painted.shape == (2, channels, size, size)
    assert 0 <= float(painted.min()) <= float(painted.max()) <= 1


def test_the_kl_term_warms_up_over_the_pictures_seen() -> None:
    model = VAE(8, 1, net="dense", dim=3, width=4, beta=2.0, warmup=40)
    batch = patterns(10, 0)
    weights = []
    for _ in range(6):
        ((_, loss),) = model.losses(batch, torch.Generator().manual_seed(0))
        readings = model.readings()
        weights.append((float(loss.detach()) - readings["reconstruction"]) / readings["kl"])
    assert weights == pytest.approx([0, 0.5, 1, 1.5, 2, 2], abs=2e-3)
    assert int(model.seen) == 60


def test_chance_comes_from_the_generator_alone() -> None:
    model, batch = VAE(8, 1, net="dense", width=4, warmup=0), patterns(10, 0)
    before = torch.get_rng_state()
    losses = [float(next(model.losses(batch, torch.Generator().manual_seed(seed)))[1].detach()) for seed in (1, 1, 2)]
    assert model.score(batch) == model.score(batch)
    assert torch.equal(torch.get_rng_state(), before)
    assert losses[0] == losses[1] != losses[2]


def test_a_saved_model_paints_and_encodes_the_same(painter_of_patterns: VAE, tmp_path: Path) -> None:
    save(painter_of_patterns, tmp_path / "a.safetensors")
    again = load(tmp_path / "a.safetensors", kind=Painter)
    assert isinstance(again, VAE)
    assert again.config == painter_of_patterns.config
    assert int(again.seen) == int(painter_of_patterns.seen)
    z, x = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), patterns(3, 0).x
    with torch.no_grad():
        assert torch.equal(again.paint(z), painter_of_patterns.paint(z))
        assert torch.equal(again.encode(x)[0], painter_of_patterns.encode(x)[0])


@torch.no_grad()
def test_the_way_between_two_pictures_starts_and_ends_at_their_reconstructions(
    painter_of_patterns: VAE, conditional: VAE
) -> None:
    batch = patterns(10, 0)
    x, y = batch.x[:1], batch.x[batch.y != batch.y[0]][:1]
    for model in (painter_of_patterns, conditional):
        path = model.between(x, y, torch.linspace(0, 1, 5))
        torch.testing.assert_close(path[:1], model.reconstruct(x))
        torch.testing.assert_close(path[-1:], model.reconstruct(y))
        assert float((path[2] - path[0]).abs().max()) > 0.01


@torch.no_grad()
def test_pictures_of_other_sizes_and_half_precision_are_taken(painter_of_patterns: VAE) -> None:
    x = torch.rand(2, 3, 20, 31, generator=torch.Generator().manual_seed(0))
    assert painter_of_patterns.reconstruct(x).shape == (2, 1, 8, 8)
    model = VAE(16, 1, width=4, likelihood="gaussian")
    with torch.autocast("cpu", torch.bfloat16):
        loss = next(model.losses(Samples(torch.rand(4, 1, 16, 16)), torch.Generator().manual_seed(0)))[1]
    assert loss.dtype == torch.float32
    assert bool(loss.isfinite())


def test_a_picture_is_reconstructed_alike_in_any_company(painter_of_patterns: VAE) -> None:
    x = patterns(6, 0).x
    with torch.no_grad():
        alone: Tensor = torch.cat([painter_of_patterns.reconstruct(each) for each in x.split(1)])
        torch.testing.assert_close(alone, painter_of_patterns.reconstruct(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"size": 33}, "size"),
        ({"size": 7, "net": "dense"}, "size"),
        ({"size": 512}, "size"),
        ({"channels": 2}, "channels"),
    ],
)
def test_refuses_pictures_it_cannot_take(given: dict[str, Any], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        VAE(**{"size": 32, "channels": 1, **given})
    assert caught.value.where == where


def test_refuses_labels_it_does_not_know(conditional: VAE, painter_of_patterns: VAE) -> None:
    rng = torch.Generator().manual_seed(0)
    with pytest.raises(ParameterError, match="0 to 3"):
        conditional.sample(1, rng, torch.tensor([4]))
    with pytest.raises(ParameterError, match="classes"):
        conditional.paint(torch.zeros(1, 2))
    with pytest.raises(ParameterError, match="unconditional"):
        painter_of_patterns.sample(1, rng, torch.tensor([0]))

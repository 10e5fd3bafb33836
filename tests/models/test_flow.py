"""Rectified flow: its ways and solvers in closed form, pairing, guidance, and that it learns a toy set."""

import math

import pytest
import torch

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, save
from danqing.maths.flows import nearest_noise, on_the_way, returned, travelled, travelling
from danqing.models.codec import Codec
from danqing.models.flow import Flow
from danqing.training.step import Stepper


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(**params):
    torch.manual_seed(0)
    return Flow(**{"size": 8, "channels": 1, "width": 16, "steps": 4, **params})


def test_straight_ways_are_gone_exactly_in_one_step():
    noise, x = torch.randn(3, 1, 4, 4, generator=seeded()), torch.rand(3, 1, 4, 4, generator=seeded(1))
    for solver in ("euler", "heun", "adams"):
        torch.testing.assert_close(travelled(lambda *_: x - noise, noise, 1, solver), x)
    halfway = on_the_way(noise, x, torch.full((3,), 0.5))
    torch.testing.assert_close(travelled(lambda *_: x - noise, halfway, 3, start=0.5), x)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("adams", 2)])
def test_solvers_have_their_order(solver, order):
    """dx/dt = x from 1 ends at e; halving the step divides the error by 2 to the order (Heun's last step and Adams'
    first are Euler's: their error is of second order, once, so the order of the whole stays)."""

    def miss(steps):
        return abs(float(travelled(lambda x, _: x, torch.ones(1, dtype=torch.float64), steps, solver)) - math.e)

    assert math.log2(miss(64) / miss(128)) == pytest.approx(order, abs=0.1)


def test_adams_asks_once_a_step_and_comes_nearer_than_heun_who_asks_as_often():
    """dx/dt = sin(5t)·x: the way ends at exp((1 − cos 5) / 5)."""
    asked = []

    def velocity(x, t):
        asked.append(t)
        return math.sin(5 * t) * x

    begin, end = torch.ones(1, dtype=torch.float64), math.exp((1 - math.cos(5)) / 5)
    misses = {}
    for solver, steps in (("heun", 6), ("adams", 11)):
        asked.clear()
        misses[solver] = abs(float(travelled(velocity, begin, steps, solver)) - end)
        assert len(asked) == 11
    assert misses["adams"] < misses["heun"]
    assert sorted(asked) == asked
    assert asked[1] - asked[0] < asked[6] - asked[5]
    assert asked[10] - asked[9] < asked[6] - asked[5]


@pytest.mark.parametrize("solver", ["euler", "heun", "adams"])
def test_the_way_back_undoes_the_way(solver):
    """Of a way that bends, step by step, not of the way that the steps come near to."""

    def velocity(x, t):
        return 0.8 * torch.sin(3 * x + 2 * t)

    begin = torch.randn(20, generator=seeded(), dtype=torch.float64)
    end = travelled(velocity, begin, 9, solver)
    found = [(returned(velocity, end, 9, solver, rounds) - begin).abs().max() for rounds in (3, 6, 12)]
    assert found[0] > found[1] > found[2]
    assert found[2] < 1e-4


def test_what_is_sent_back_takes_the_place_of_where_the_way_is():
    stations = travelling(lambda x, _: torch.zeros_like(x), torch.ones(1), 2)
    assert next(stations) == (0.5, torch.ones(1))
    assert stations.send(torch.full((1,), 7.0)) == (1.0, torch.full((1,), 7.0))


def test_noise_is_dealt_so_that_ways_are_shortest_within_each_class():
    x = torch.tensor([0.0, 1.0, 2.0, 3.0]).view(4, 1)
    noise = torch.tensor([3.1, 0.1, 2.1, 1.1]).view(4, 1)
    assert nearest_noise(noise, x).flatten().tolist() == pytest.approx([0.1, 1.1, 2.1, 3.1])
    label = torch.tensor([0, 0, 1, 1])
    assert nearest_noise(noise, x, label).flatten().tolist() == pytest.approx([0.1, 3.1, 1.1, 2.1])


@pytest.mark.parametrize("size", [8, 28, 33])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 3)])
def test_any_size_and_every_parameter_learns(size, channels, classes):
    net = model(size=size, channels=channels, classes=classes, unlabelled=0.5)
    y = torch.arange(6) % classes if classes else None
    batch = Samples(torch.rand(6, channels, size, size, generator=seeded()), y)
    ((_, loss),) = net.losses(batch, seeded())
    loss.backward()
    assert not [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert net.sample(2, seeded()).shape == (2, channels, size, size)


def test_guidance_of_one_is_the_class_and_of_none_is_no_class():
    net = model(classes=2).eval()
    x, label = torch.randn(2, 1, 8, 8, generator=seeded()), torch.tensor([0, 1])
    with torch.no_grad():
        led, free = net.velocity(x, 0.3, label), net.velocity(x, 0.3, None)
        torch.testing.assert_close(net.velocity(x, 0.3, label, 0.0), free)
        torch.testing.assert_close(net.velocity(x, 0.3, label, 3.0), free + 3 * (led - free), rtol=1e-4, atol=1e-5)


def test_a_saved_model_paints_the_same_whatever_the_company(tmp_path):
    net = model(classes=2).eval()
    again = load(save(net, tmp_path / "net.safetensors"))
    z, label = torch.randn(3, *net.latent, generator=seeded()), torch.tensor([0, 1, 1])
    with torch.no_grad():
        assert torch.equal(again.paint(z, label)[1:2], net.paint(z[1:2], label[1:2]))


def in_latents(**params):
    codec = {"family": "codec", "config": Codec(8, 1, depth=2, halvings=1, width=16, perceptual=0.0).config}
    return model(codec=codec, **params)


def test_in_latents_all_but_the_codec_learns_and_the_codec_is_as_in_use():
    net = in_latents(classes=2).train()
    assert net.latent == (2, 4, 4)
    batch = Samples(torch.rand(6, 1, 8, 8, generator=seeded()), torch.arange(6) % 2)
    stepper, before = Stepper(net, net.optimiser, "fp32"), {k: v.clone() for k, v in net.state_dict().items()}
    for _ in range(3):
        stepper.step(batch, seeded())
    changed = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name, _ in net.named_parameters() if not name.startswith("codec.")}
    assert net.preview(batch, seeded()).shape == batch.x.shape


def test_in_latents_a_saved_model_needs_no_other_file(tmp_path):
    net = in_latents().eval()
    again = load(save(net, tmp_path / "net.safetensors"))
    assert again.config == net.config
    z = torch.randn(3, *net.latent, generator=seeded())
    with torch.no_grad():
        assert torch.equal(again.paint(z), net.paint(z))
        assert torch.equal(
            again.decode(again.encode(torch.ones(1, 1, 8, 8))), net.codec.reconstruct(torch.ones(1, 1, 8, 8))
        )


def test_a_codec_of_other_pictures_is_refused_with_what_fits():
    for given, fits in (({"size": 16}, "--size 8"), ({"channels": 3}, "--channels grey")):
        with pytest.raises(ParameterError) as refusal:
            in_latents(**given)
        assert refusal.value.where == "codec"
        assert fits in refusal.value.remedy


@pytest.mark.parametrize(("given", "where"), [({"channels": 2}, "channels"), ({"width": 20}, "width")])
def test_refuses_what_cannot_be(given, where):
    with pytest.raises(ParameterError) as refusal:
        model(**given)
    assert refusal.value.where == where


def test_it_learns_every_mode_of_a_toy_set():
    """Two pictures, left or right half bright: flat grey is 0.4 away from both."""
    halves = torch.full((2, 1, 8, 8), 0.1)
    halves[0, ..., :4], halves[1, ..., 4:] = 0.9, 0.9
    net = model(classes=2, steps=5)
    stepper, rng = Stepper(net, net.optimiser._replace(lr=3e-3), "fp32"), seeded()
    for _ in range(120):
        y = torch.randint(2, (32,), generator=rng)
        stepper.step(Samples(halves[y], y), rng)
    label = torch.arange(40) % 2
    with torch.inference_mode():
        painted = net.eval().sample(40, seeded(9), label)
    distance = (painted[:, None] - halves).square().mean((2, 3, 4)).sqrt()
    assert (distance.argmin(1) == label).float().mean() > 0.9
    assert distance.min(1).values.median() < 0.15

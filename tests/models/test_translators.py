"""Translation from pairs and from two sets: shapes, gradients, refusals, and that it learns what it was shown."""

import pytest
import torch

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, save
from danqing.models.cyclegan import CycleGAN
from danqing.models.pix2pix import Pix2Pix
from danqing.training.step import Stepper
from tests.train.sets import set_for

SMALL = {"size": 16, "channels": 1, "width": 16, "critic_width": 8}
RUN = {"size": 16, "width": 16, "critic_width": 8, "budget": "16pictures", "precision": "fp32", "threads": 1}


def stripes(count, seed):
    """Random rows, and as their pairs the same turned dark to bright."""
    x = torch.rand(count, 1, 16, 1, generator=torch.Generator().manual_seed(seed)).expand(-1, 1, 16, 16)
    return x.contiguous(), 1 - x.contiguous()


@pytest.mark.parametrize("family", [Pix2Pix, CycleGAN])
def test_each_part_learns_from_its_own_loss_alone(family):
    torch.manual_seed(0)
    net, (x, pair) = family(**SMALL), stripes(4, 0)
    for part, loss in net.losses(Samples(x, torch.tensor([0, 1, 0, 1]), pair), torch.Generator()):
        mine = dict(net.get_submodule(part).named_parameters())
        loss.backward(inputs=list(mine.values()))
        assert not [n for n, p in mine.items() if p.grad is None or not p.grad.abs().sum() > 0]
        net.zero_grad(set_to_none=True)


@pytest.mark.parametrize("size", [17, 18, 22])
@pytest.mark.parametrize("family", [Pix2Pix, CycleGAN])
def test_sides_that_cannot_be_halved_again_and_again_are_learned_from(family, size):
    x = torch.rand(4, 1, size, size, generator=torch.Generator().manual_seed(0))
    net = family(**{**SMALL, "size": size, "critic_width": 16})
    losses = dict(net.losses(Samples(x, torch.tensor([0, 1, 0, 1]), 1 - x), torch.Generator()))
    assert all(loss.isfinite() for loss in losses.values())
    assert net.translate(x[:1]).shape == (1, 1, size, size)


def test_pix2pix_learns_what_becomes_of_what_it_has_not_seen():
    torch.manual_seed(0)
    net = Pix2Pix(**SMALL)
    stepper, rng = Stepper(net, net.optimiser._replace(lr=2e-3), "fp32"), torch.Generator().manual_seed(0)
    x, pair = stripes(8, 99)
    before = net.score(Samples(x, None, pair))["difference"]
    for step in range(80):
        made = stripes(16, step)
        stepper.step(Samples(made[0], None, made[1]), rng)
    assert net.eval().score(Samples(x, None, pair))["difference"] < 0.1 < before  # the mean grey is 0.25 away


def test_cyclegan_learns_to_move_brightness_without_pairs():
    """Dark noise and bright noise: what it paints of one has the other's brightness, and comes back."""
    torch.manual_seed(0)
    net = CycleGAN(**{**SMALL, "identity": 0.0})
    stepper, rng = Stepper(net, net.optimiser._replace(lr=2e-3), "fp32"), torch.Generator().manual_seed(0)
    for _ in range(60):
        y = torch.arange(16) % 2
        noise = 0.3 * torch.rand(16, 1, 16, 16, generator=rng)
        stepper.step(Samples(noise + 0.7 * (y == 1).view(-1, 1, 1, 1), y), rng)
    dark = 0.3 * torch.rand(8, 1, 16, 16, generator=rng)
    with torch.no_grad():
        bright = net.eval().translate(dark)
        again = net.translate(bright, back=True)
    assert bright.mean() > 0.7
    assert (again - dark).abs().mean() < 0.1


@pytest.mark.parametrize("family", [Pix2Pix, CycleGAN])
def test_a_saved_model_paints_pictures_of_any_size_the_same(family, tmp_path):
    torch.manual_seed(0)
    net = family(**SMALL).eval()
    again = load(save(net, tmp_path / "net.safetensors"))
    x = torch.rand(1, 1, 21, 34, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(net.translate(x), again.translate(x))
        assert net.translate(x).shape == x.shape


def test_what_cannot_be_is_refused():
    x = torch.rand(2, 1, 16, 16)
    with pytest.raises(ParameterError, match="learns from pairs"):
        next(Pix2Pix(**SMALL).losses(Samples(x), torch.Generator()))
    with pytest.raises(ParameterError, match="larger than"):
        next(Pix2Pix(**SMALL).losses(Samples(x, None, torch.rand(2, 1, 32, 32)), torch.Generator()))
    with pytest.raises(ParameterError, match="colours"):
        next(Pix2Pix(**SMALL).losses(Samples(x, None, torch.rand(2, 3, 16, 16)), torch.Generator()))
    with pytest.raises(ParameterError, match="two classes, not 3"):
        CycleGAN(**SMALL, classes=3)
    with pytest.raises(ParameterError, match="one way only"):
        Pix2Pix(**SMALL).translate(x, back=True)


def test_a_batch_of_one_set_teaches_nothing():
    net = CycleGAN(**SMALL)
    assert list(net.losses(Samples(torch.rand(2, 1, 16, 16), torch.tensor([1, 1])), torch.Generator())) == []


def test_cyclegan_refuses_to_learn_from_one_picture_at_a_time(tmp_path):
    with pytest.raises(ParameterError, match="never holds pictures of both sets"):
        danqing.train("cyclegan", set_for("cyclegan", tmp_path / "set"), **RUN, batch=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()

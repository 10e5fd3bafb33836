"""Translation from pairs and from two sets: shapes, gradients, refusals, and that it learns what it was shown."""

import pytest
import torch

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, load_tensors, save, save_tensors
from danqing.core.operators.tiles import local
from danqing.core.pictures.contract import Images
from danqing.core.progress import finish
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


@pytest.mark.slow
def test_cyclegan_learns_to_move_brightness_without_pairs():
    """Dark noise and bright noise: what it paints of one has the other's brightness, and comes back."""
    torch.manual_seed(0)
    net = CycleGAN(**{**SMALL, "identity": 0.0})
    stepper, rng = Stepper(net, net.optimiser._replace(lr=2e-3), "fp32"), torch.Generator().manual_seed(0)
    for _ in range(120):
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


def painter_of(net):
    return net.painter[0] if isinstance(net, CycleGAN) else net.painter


def loud(family, **params):
    """A net whose weights are large enough for what it sees far away to show."""
    torch.manual_seed(0)
    net = family(**SMALL, **params).eval()
    for each in painter_of(net).parameters():
        if each.ndim > 1:
            torch.nn.init.normal_(each, std=1.5 / each[0].numel() ** 0.5)
    return net


@pytest.mark.parametrize("family", [Pix2Pix, CycleGAN])
def test_in_tiles_a_picture_is_painted_as_in_one(family):
    """Evened by the whole, nothing farther than its reach is seen; rounding is far below a step of 255."""
    net, x = loud(family), torch.rand(1, 1, 150, 500, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole, even = net.translate(x), net.evenness(x)

        def paint(part: Images) -> Images:
            return net.translate(part, even=even)

        torch.testing.assert_close(finish(local(paint, x, net.reach, tile=96)), whole, rtol=0, atol=0.1 / 255)
        seen = finish(local(paint, x, net.reach // 4, tile=96))
    assert (seen - whole).abs().max() > 1 / 255  # what is tested can fail


@pytest.mark.parametrize("family", [Pix2Pix, CycleGAN])
def test_parts_tell_how_a_large_picture_is_evened(family):
    net = loud(family)
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(1)).repeat(1, 1, 50, 50)
    for whole, told in zip(painter_of(net).evenness(x * 2 - 1), net.evenness(x), strict=True):
        torch.testing.assert_close(told.mean, whole.mean, rtol=0.1, atol=0.05)
        torch.testing.assert_close(told.deviation, whole.deviation, rtol=0.1, atol=0.01)


def test_smoothly_doubled_maps_leave_no_lattice_on_what_is_plain():
    x = torch.full((1, 1, 200, 200), 0.3)
    apart = {}
    for doubling in ("free", "smooth"):
        net = loud(CycleGAN, doubling=doubling)
        with torch.no_grad():
            inner = net.painter[0](x)[..., net.reach : -net.reach, net.reach : -net.reach]
        apart[doubling] = float(inner.std() / inner.abs().mean())
    assert apart["smooth"] < 1e-3  # rounding alone
    assert apart["free"] > 0.05


def test_what_is_plain_gets_no_frame():
    """Beyond a picture's edge a convolution sees nothing; what that makes of the outermost pixels is cut away."""
    net, x = loud(CycleGAN), torch.full((1, 1, 200, 200), 0.3)
    edge = torch.ones(200, 200, dtype=torch.bool)
    edge[4:-4, 4:-4] = False
    frames = []
    with torch.no_grad():
        for made in (net.painter[0](x * 2 - 1).add(1).div(2).clamp(0, 1), net.translate(x)):
            frames.append(float((made[..., edge] - made[..., 100, 100]).abs().mean()))
    bare, cut = frames
    assert cut < bare / 4


def test_one_from_before_doubles_freely(tmp_path):
    old = CycleGAN(**SMALL, doubling="free").eval()
    card, tensors = load_tensors(save(old, tmp_path / "old.safetensors"))
    del card["config"]["doubling"]
    again = load(save_tensors(tensors, tmp_path / "older.safetensors", card))
    x = torch.rand(1, 1, 20, 20)
    assert torch.equal(again.translate(x), old.translate(x))


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
    for way in (Pix2Pix(**SMALL).translate, Pix2Pix(**SMALL).evenness):
        with pytest.raises(ParameterError, match="one way only"):
            way(x, back=True)


def test_a_batch_of_one_set_teaches_nothing():
    net = CycleGAN(**SMALL)
    assert list(net.losses(Samples(torch.rand(2, 1, 16, 16), torch.tensor([1, 1])), torch.Generator())) == []


def test_cyclegan_refuses_to_learn_from_one_picture_at_a_time(tmp_path):
    with pytest.raises(ParameterError, match="never holds pictures of both sets"):
        danqing.train("cyclegan", set_for("cyclegan", tmp_path / "set"), **RUN, batch=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()

"""The critic that looks through a frozen net: what it sees, who learns from it, and how hard it pulls."""

import copy

import pytest
import torch
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, load_tensors, save
from danqing.core.progress import finish
from danqing.maths.tints import spread_of_tints
from danqing.models.dcgan import DCGAN
from danqing.models.stylegan import StyleGAN
from danqing.nets.projected import ProjectedCritic, hinge, led_by_both, liking
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.step import Stepper
from tests.marks import SLOW_IF_EMULATED

SMALL = {
    DCGAN: {"size": 16, "channels": 3, "width": 4, "critic_width": 4, "latents": 8},
    StyleGAN: {"size": 16, "channels": 3, "width": 4, "critic_width": 4, "latents": 8, "styles": 8},
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(family=DCGAN, **params):
    torch.manual_seed(0)
    return family(**{**SMALL[family], "projected": 1.0, **params})


def batch_for(net, count=4):
    c = net.config
    x = torch.rand(count, c["channels"], c["size"], c["size"], generator=seeded(5))
    return Samples(x, torch.arange(count) % c["classes"] if c["classes"] else None)


@pytest.mark.parametrize("family", SMALL)
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 2)])
def test_each_part_learns_from_its_own_loss_alone(family, channels, classes):
    net = model(family, channels=channels, classes=classes)
    assert net.parts == ("critic", "projected", "painter")
    found = []
    for part, loss in net.losses(batch_for(net), seeded()):
        found.append(part)
        mine = dict(net.get_submodule(part).named_parameters())
        loss.backward(inputs=list(mine.values()))
        silent = [name for name, p in mine.items() if p.grad is None or not p.grad.abs().sum() > 0]
        assert {name.split(".")[-2:][0] for name in silent} <= {"head", "judge"}, silent
        assert all(name.endswith("bias") for name in silent)  # none shows in a comparison, nor within hinge's margins
        assert all(p.grad is None for n, p in net.named_parameters() if not n.startswith(f"{part}."))
        net.zero_grad(set_to_none=True)
    assert tuple(found) == net.parts


def test_a_share_of_nothing_is_the_family_as_it_was():
    net, plain = model(projected=0.0), model()
    assert net.projected is None
    assert net.parts == DCGAN.parts == ("critic", "painter")
    assert [n for n in net.state_dict() if "projected" in n] == []
    assert plain.state_dict().keys() > net.state_dict().keys()
    with pytest.raises(ParameterError):
        TrainConfig.make("dcgan", "digits", projected=-1)
    with pytest.raises(ParameterError):
        TrainConfig.make("dcgan", "digits", projected=9)


def test_the_second_loss_pulls_as_hard_as_its_share_says():
    painted = torch.randn(3, 3, 8, 8, generator=seeded()).requires_grad_()
    a, b = torch.randn(2, 3, 3, 8, 8, generator=seeded(1))
    for strength in (1e-3, 1e3):  # however strong the critics are
        first, second = (painted * a).sum(), strength * (painted * b).sum()
        loss = led_by_both(painted, first, second, 0.5)
        assert loss.item() == pytest.approx(first.item(), rel=1e-5)
        (pull,) = torch.autograd.grad(loss, painted)
        expected = a + 0.5 * b * a.square().mean().sqrt() / b.square().mean().sqrt()
        torch.testing.assert_close(pull, expected, rtol=1e-5, atol=1e-6)


def test_a_loss_that_pulls_at_nothing_changes_nothing():
    painted = torch.randn(2, 1, 4, 4, generator=seeded()).requires_grad_()
    (pull,) = torch.autograd.grad(led_by_both(painted, painted.sum(), 0 * painted.sum(), 1.0), painted)
    assert torch.equal(pull, torch.ones_like(pull))


def test_hinge_and_liking_have_their_closed_form():
    real, fake = [torch.tensor([[[2.0, 0.0]]])], [torch.tensor([[[-2.0, 0.5]]])]
    assert hinge(real, fake).item() == pytest.approx((0 + 1) / 2 + (0 + 1.5) / 2)
    assert liking(fake).item() == pytest.approx(-0.75)


def test_both_sets_are_looked_at_from_one_place_and_each_time_from_another():
    critic, x = ProjectedCritic(0, 1.0), torch.rand(2, 3, 64, 64, generator=seeded()) * 2 - 1
    rng = seeded(1)
    with torch.no_grad():
        one, two = critic.views(x, x, rng)
        other, _ = critic.views(x, x, rng)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one[0], other[0])
    assert [tuple(each.shape[2:]) for each in one] == [(16, 16), (8, 8), (4, 4), (2, 2)]


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (256, 3)])
def test_pictures_of_any_side_are_seen_and_grey_ones_as_colours(side, channels):
    critic, x = ProjectedCritic(0, 1.0), torch.rand(1, channels, side, side, generator=seeded()) * 2 - 1
    with torch.no_grad():
        maps, again = critic.views(x, x.expand(-1, 3, -1, -1), seeded())
        logits = critic(maps, None)
    assert all(torch.equal(a, b) for a, b in zip(maps, again, strict=True))
    assert all(each.isfinite().all() and each.ndim == 3 for each in logits)


def test_it_tells_pictures_that_differ_in_nothing_but_their_structure():
    """Stripes up against stripes across: same pixels in each row of values, so colours tell nothing."""
    stripes = F.interpolate(torch.tensor([[-1.0, 1.0]]).repeat(1, 8)[None, None], (64, 64))
    stripes = stripes.expand(2, 3, -1, -1)
    torch.manual_seed(0)
    critic, rng = ProjectedCritic(0, 1.0), seeded()
    adam = torch.optim.Adam(critic.parameters(), 2e-3, (0.0, 0.99))
    for _ in range(8):
        real, fake = critic.views(stripes, stripes.transpose(2, 3), rng)
        loss = hinge(critic(real, None), critic(fake, None))
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 1.0  # 2 is to know nothing


def test_the_frozen_net_is_neither_saved_nor_copied_nor_changed(tmp_path):
    net = model(StyleGAN, classes=2)
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    before = [each.clone() for each in net.projected.views(*[batch_for(net).x] * 2, seeded(7))[0]]
    stepper.step(batch_for(net), rng)
    after = net.projected.views(*[batch_for(net).x] * 2, seeded(7))[0]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert sum(p.numel() for p in copy.deepcopy(net.projected).parameters()) < 500_000  # the net has 4.7 million
    net.eval()
    again = load(save(net, tmp_path / "net.safetensors"))
    with torch.inference_mode():
        assert torch.equal(again.sample(3, seeded(3)), net.sample(3, seeded(3)))


@pytest.mark.parametrize(
    ("family", "precision"),
    [pytest.param("dcgan", "bf16", marks=SLOW_IF_EMULATED), pytest.param("stylegan", "fp32", marks=pytest.mark.slow)],
)
def test_a_run_resumes_bit_for_bit(family, precision, tmp_path):
    def config(name):
        small = {"size": 16, "width": 4, "critic_width": 4, "projected": 0.5, "batch": 4, "threads": 1}
        more = {"budget": "12pictures", "every": "100%", "precision": precision, "out": tmp_path / name}
        return TrainConfig.make(family, "digits", **small, **more)

    whole = finish(train(config("whole")))
    job = train(config("stopped"))
    for progress in job:
        if "kimg" in progress.words and 0.5 < progress.done < 1:
            break
    job.close()
    one, other = (load_tensors(run.model)[1] for run in (whole, finish(resume(tmp_path / "stopped"))))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(name.startswith("projected.heads") for name in one)


def coloured_quarters():
    """Four pictures, each with a quarter in a colour of its own."""
    found = torch.full((4, 3, 16, 16), 0.1)
    for mode, colour in enumerate(torch.tensor([[0.9, 0.1, 0.1], [0.1, 0.8, 0.2], [0.2, 0.2, 0.9], [0.9, 0.8, 0.1]])):
        found[mode, :, 8 * (mode // 2) :, 8 * (mode % 2) :][:, :8, :8] = colour[:, None, None]
    return found


@pytest.mark.slow
def test_beside_the_pixels_it_narrows_no_colours_and_drops_no_mode():
    modes, net = coloured_quarters(), model(width=12, critic_width=12, gamma=1.0)
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    for _ in range(200):
        y = torch.randint(4, (16,), generator=rng)
        noise = 0.1 * (torch.rand(16, 3, 16, 16, generator=rng) * 2 - 1)
        stepper.step(Samples((modes[y] + noise).clamp(0, 1)), rng)
    with torch.inference_mode():
        painted = net.eval().sample(200, seeded(9))
    distance = (painted[:, None] - modes).square().mean((2, 3, 4)).sqrt()
    assert torch.bincount(distance.argmin(1), minlength=4).min() > 20  # 50 would be even
    assert distance.min(1).values.median() < 0.15  # flat grey is 0.3 away, the noise alone 0.06
    assert spread_of_tints(painted) > 0.8 * spread_of_tints(modes)

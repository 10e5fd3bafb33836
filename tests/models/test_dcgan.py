"""The convolutional GAN: shapes, gradients, chance, files, and that it learns every mode of a toy set."""

import math
from inspect import signature

import pytest
import torch
from torch import nn

from bench.tutorial import TUTORIAL
from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, save
from danqing.models.dcgan import DCGAN
from danqing.nets.adversary import Verdict
from danqing.training.step import Stepper

SMALL = {"size": 16, "latents": 8, "width": 8, "critic_width": 8}
RULES = ["relativistic", "non-saturating", "least-squares", "hinge", "wasserstein"]
PENALTIES = ["r1+r2", "r1", "gradient", "none"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(**params):
    torch.manual_seed(0)
    return DCGAN(**{**SMALL, **params})


def batch_for(net, count=8):
    c = net.config
    x = torch.rand(count, c["channels"], c["size"], c["size"], generator=seeded(5))
    return Samples(x, torch.arange(count) % c["classes"] if c["classes"] else None)


@pytest.mark.parametrize("size", [16, 28, 32, 64, 128, 256])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 4)])
def test_every_size(size, channels, classes):
    net = model(size=size, channels=channels, classes=classes, width=4, critic_width=4)
    painted = net.sample(2, seeded())
    assert painted.shape == (2, channels, size, size)
    assert painted.is_contiguous()
    assert painted.dtype == torch.float32
    parts = [part for part, loss in net.losses(batch_for(net, 2), seeded()) if loss.isfinite()]
    assert parts == ["critic", "painter"]


@pytest.mark.parametrize("size", [33, 8, 512, 24])
def test_other_sizes_are_refused_with_those_that_can_be(size):
    with pytest.raises(ParameterError, match="16, 28, 32, 64, 128, 256") as refusal:
        DCGAN(size=size)
    assert refusal.value.where == "size"


def test_two_channels_are_refused():
    with pytest.raises(ParameterError, match="neither 1"):
        model(channels=2)


def test_the_tutorials_layers():
    net = DCGAN(**{name: value for name, value in TUTORIAL.items() if name in signature(DCGAN).parameters})
    shapes = [tuple(p.shape) for name, p in net.painter.named_parameters() if "norm" not in name]
    assert shapes[:3] == [(7 * 7 * 256, 100), (256, 128, 4, 4), (128, 64, 4, 4)]
    assert shapes[3:] == [(64, 1, 4, 4), (1,)]
    assert [tuple(p.shape) for p in net.critic.parameters() if p.ndim > 1] == [
        (64, 1, 4, 4), (128, 64, 4, 4), (1, 7 * 7 * 128),
    ]  # fmt: skip


@pytest.mark.parametrize("loss", RULES)
@pytest.mark.parametrize("penalty", PENALTIES)
def test_each_part_learns_from_its_own_loss_alone(loss, penalty):
    net = model(loss=loss, penalty=penalty, classes=3, norm="batch", dropout=0.2)
    nn.init.normal_(net.critic.head.weight)
    for part, value in net.losses(batch_for(net), seeded()):
        mine = dict(net.get_submodule(part).named_parameters())
        value.backward(inputs=list(mine.values()))
        silent = [name for name, p in mine.items() if p.grad is None or not p.grad.abs().sum() > 0]
        assert silent in ([], ["head.bias"]), silent  # a loss that compares does not see the bias
        other = {"critic": net.painter, "painter": net.critic}[part]
        assert all(p.grad is None for p in other.parameters())
        net.zero_grad(set_to_none=True)


@pytest.mark.parametrize("critic_norm", ["none", "batch", "spectral"])
@pytest.mark.parametrize("norm", ["none", "batch", "pixel"])
def test_norms_train(norm, critic_norm):
    net = model(norm=norm, critic_norm=critic_norm, classes=2)
    stepper = Stepper(net, net.optimiser, "fp32")
    losses = [stepper.step(batch_for(net), rng) for rng in [seeded()] for _ in range(3)]
    assert all(torch.tensor([*step.values()]).isfinite().all() for step in losses)


def test_spectral_weights_have_norm_one():
    net = model(critic_norm="spectral", penalty="none")
    for _ in range(30):
        net.critic(batch_for(net).x, None, seeded())
    for layer in [*net.critic.layers, net.critic.head]:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_the_penalty_comes_every_so_many_steps_and_counts_as_many_times():
    def first(every, played):
        net = model(penalty="r1", gamma=100.0, lazy=every)
        net.played.fill_(played)
        return next(net.losses(batch_for(net), seeded()))[1].item()

    plain = first(4, 1)
    assert first(4, 3) == plain
    once = first(1, 0) - plain
    assert once > 0
    assert first(4, 4) - plain == pytest.approx(4 * once, rel=1e-4)


def test_r1_and_r2_are_measured_where_they_say():
    """A critic made linear has the slope of its weight everywhere, so R1 + R2 is twice R1."""
    net = model(penalty="r1", gamma=2.0, lazy=1)
    seen = {}
    for penalty in ("none", "r1", "r1+r2"):
        net.rules = net.rules._replace(penalty=penalty)
        net.critic = _Linear()
        seen[penalty] = next(net.losses(batch_for(net), seeded()))[1].item()
    assert seen["r1"] - seen["none"] == pytest.approx(256 * 0.1**2, rel=1e-4)
    assert seen["r1+r2"] - seen["r1"] == pytest.approx(256 * 0.1**2, rel=1e-4)


class _Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((1, 16, 16), 0.1))

    def forward(self, x, label, rng):
        return Verdict((x * self.weight).sum((1, 2, 3)))


def test_naming_adds_the_cross_entropy_of_real_classes_for_the_critic_and_of_painted_ones_for_the_painter():
    def losses(naming):
        net = model(classes=4, penalty="none")
        net.rules = net.rules._replace(naming=naming)
        nn.init.zeros_(net.critic.names.weight)  # every class is named as likely as any other: log 4 nats
        return dict(part for part in net.losses(batch_for(net), seeded()))

    with_names, without = losses(2.0), losses(0.0)
    for part in ("critic", "painter"):
        assert with_names[part].item() - without[part].item() == pytest.approx(2 * math.log(4), rel=1e-5)


def test_only_real_pictures_teach_the_critic_to_name():
    net = model(classes=4, penalty="none")
    net.rules = net.rules._replace(naming=1.0)
    batch, seen = batch_for(net), []
    forward = net.critic.forward
    net.critic.forward = lambda x, label, rng: seen.append(x.detach()) or forward(x, label, rng)
    loss = next(net.losses(batch, seeded()))[1]
    gradient = torch.autograd.grad(loss, net.critic.names.weight)[0]
    named = forward(seen[0][: len(batch.x)], batch.y, seeded()).unnamed.mean()
    torch.testing.assert_close(gradient, torch.autograd.grad(named, net.critic.names.weight)[0])


def test_critic_steps_come_before_the_painter():
    net = model(critic_steps=3)
    assert [part for part, _ in net.losses(batch_for(net), seeded())] == ["critic"] * 3 + ["painter"]


def test_all_chance_comes_from_the_generator():
    def losses(seed):
        net, rng = model(dropout=0.3, penalty="gradient", loss="wasserstein"), seeded(seed)
        return [value.item() for _ in range(2) for _, value in net.losses(batch_for(net), rng)]

    first = losses(1)
    assert first == losses(1)
    assert first != losses(2)


def test_the_global_generator_is_left_alone():
    net = model(dropout=0.3, penalty="gradient")
    before = torch.get_rng_state()
    batch = batch_for(net)
    list(net.losses(batch, seeded()))
    net.sample(3, seeded())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("size", [16, 28])
def test_a_picture_does_not_depend_on_how_many_are_painted(classes, size):
    net = model(classes=classes, size=size, width=16).eval()
    z = torch.randn(40, 8, generator=seeded(1))
    label = torch.arange(40) % classes if classes else None
    with torch.inference_mode():
        together = net.paint(z, label)
        for at in (0, 1, 17, 39):
            alone = net.paint(z[at : at + 1], None if label is None else label[at : at + 1])
            assert torch.equal(alone[0], together[at])


def test_labels_are_checked():
    with pytest.raises(ParameterError, match="unconditional"):
        model().sample(2, seeded(), torch.tensor([0, 1]))
    with pytest.raises(ParameterError, match="from 0 to 2"):
        model(classes=3).sample(1, seeded(), torch.tensor([3]))


def test_a_saved_model_paints_the_same(tmp_path):
    net = model(classes=3, critic_norm="spectral")
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    for _ in range(2):
        stepper.step(batch_for(net), rng)
    net.eval()
    again = load(save(net, tmp_path / "net.safetensors"))
    with torch.inference_mode():
        assert torch.equal(again.sample(5, seeded(3)), net.sample(5, seeded(3)))
    assert again.played == net.played == 2


def test_readings_tell_how_the_critic_fares():
    net = model(loss="hinge")
    assert net.readings() == {}
    list(net.losses(batch_for(net), seeded()))
    net.verdict = torch.tensor([1.0, 2.0, -1.0, 3.0]), torch.tensor([-1.0, 1.0, -2.0, -3.0])
    assert net.readings() == {
        "critic_accuracy": 0.75, "logit_gap": 2.5, "critic_accuracy_real": 0.75, "critic_accuracy_fake": 0.75,
    }  # fmt: skip


QUARTERS = torch.zeros(4, 1, 16, 16)
for mode in range(4):
    QUARTERS[mode, :, 8 * (mode // 2) :, 8 * (mode % 2) :][:, :8, :8] = 0.8
QUARTERS += 0.1


@pytest.mark.parametrize("classes", [0, pytest.param(4, marks=pytest.mark.slow)])
def test_it_learns_every_mode_of_a_toy_set(classes):
    """Four pictures, each with a bright quarter, under noise; to paint only some of them is to collapse."""
    net = model(width=12, critic_width=12, classes=classes, gamma=1.0)  # 0.2, right for digits, drops a mode here
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    for _ in range(400):  # at 250 a mode may still be rare: which one, and whether, is rounding
        y = torch.randint(4, (32,), generator=rng)
        noise = 0.1 * (torch.rand(32, 1, 16, 16, generator=rng) * 2 - 1)
        stepper.step(Samples(QUARTERS[y] + noise, y if classes else None), rng)
    label = torch.arange(200) % 4
    with torch.inference_mode():
        painted = net.eval().sample(200, seeded(9), label if classes else None)
    distance = (painted[:, None] - QUARTERS).square().mean((2, 3, 4)).sqrt()  # (200, 4)
    nearest = distance.argmin(1)
    assert torch.bincount(nearest, minlength=4).min() > 20  # 50 would be even
    assert distance.min(1).values.median() < 0.15  # flat grey is 0.4 away, the noise alone 0.06
    if classes:
        assert (nearest == label).float().mean() > 0.95

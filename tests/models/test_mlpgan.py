"""The dense GAN: layers, gradients, chance, files, and that it learns every mode of a toy set."""

import pytest
import torch

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load, save
from danqing.models.mlpgan import MLPGAN
from danqing.training.step import Stepper


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(**params):
    torch.manual_seed(0)
    return MLPGAN(**{"size": 8, "latents": 8, "width": 16, **params})


def batch_for(net, count=8):
    c = net.config
    x = torch.rand(count, c["channels"], c["size"], c["size"], generator=seeded(5))
    return Samples(x, torch.arange(count) % c["classes"] if c["classes"] else None)


def test_the_tutorials_layers():
    net = MLPGAN(size=28)
    assert [tuple(layer.weight.shape) for layer in net.painter.layers] == [(128, 100), (256, 128), (784, 256)]
    critic = [tuple(layer.weight.shape) for layer in [*net.critic.layers, net.critic.head]]
    assert critic == [(256, 784), (128, 256), (1, 128)]


@pytest.mark.parametrize("size", [7, 28, 33])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 4)])
def test_any_size(size, channels, classes):
    net = model(size=size, channels=channels, classes=classes)
    assert net.sample(3, seeded()).shape == (3, channels, size, size)
    assert all(loss.isfinite() for _, loss in net.losses(batch_for(net), seeded()))


def test_two_channels_are_refused():
    with pytest.raises(ParameterError, match="neither 1"):
        model(channels=2)


@pytest.mark.parametrize("loss", ["relativistic", "non-saturating", "least-squares", "hinge", "wasserstein"])
@pytest.mark.parametrize("penalty", ["r1+r2", "r1", "gradient", "none"])
def test_each_part_learns_from_its_own_loss_alone(loss, penalty):
    net = model(loss=loss, penalty=penalty, classes=3, dropout=0.2)
    for part, value in net.losses(batch_for(net), seeded()):
        mine = dict(net.get_submodule(part).named_parameters())
        value.backward(inputs=list(mine.values()))
        silent = [name for name, p in mine.items() if p.grad is None or not p.grad.abs().sum() > 0]
        assert silent in ([], ["head.bias"])  # a loss that compares does not see the bias
        other = {"critic": net.painter, "painter": net.critic}[part]
        assert all(p.grad is None for p in other.parameters())
        net.zero_grad(set_to_none=True)


@pytest.mark.parametrize("classes", [0, 3])
def test_a_picture_does_not_depend_on_how_many_are_painted(classes):
    net = model(classes=classes).eval()
    z = torch.randn(70, 8, generator=seeded(1))
    label = torch.arange(70) % classes if classes else None
    with torch.inference_mode():
        together = net.paint(z, label)
        for at in (0, 31, 32, 69):
            alone = net.paint(z[at : at + 1], None if label is None else label[at : at + 1])
            assert torch.equal(alone[0], together[at])


def test_a_saved_model_paints_the_same(tmp_path):
    net = model(classes=3)
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    for _ in range(3):
        stepper.step(batch_for(net), rng)
    again = load(save(net, tmp_path / "net.safetensors"))
    with torch.inference_mode():
        assert torch.equal(again.sample(5, seeded(3)), net.eval().sample(5, seeded(3)))
    assert again.played == net.played == 3


@pytest.mark.parametrize("classes", [0, 4])
def test_it_learns_every_mode_of_a_toy_set(classes):
    """Four pictures, each with a bright quarter, under noise; to paint only some of them is to collapse."""
    modes = torch.full((4, 1, 8, 8), 0.1)
    for mode in range(4):
        modes[mode, :, 4 * (mode // 2) :, 4 * (mode % 2) :][:, :4, :4] = 0.9
    net = model(width=64, classes=classes)
    stepper, rng = Stepper(net, net.optimiser, "fp32"), seeded()
    for _ in range(1000):
        y = torch.randint(4, (64,), generator=rng)
        noise = 0.1 * (torch.rand(64, 1, 8, 8, generator=rng) * 2 - 1)
        stepper.step(Samples(modes[y] + noise, y if classes else None), rng)
    label = torch.arange(400) % 4
    with torch.inference_mode():
        painted = net.eval().sample(400, seeded(9), label if classes else None)
    distance = (painted[:, None] - modes).square().mean((2, 3, 4)).sqrt()  # (400, 4)
    nearest = distance.argmin(1)
    assert torch.bincount(nearest, minlength=4).min() > 40  # 100 would be even
    assert distance.min(1).values.median() < 0.12  # flat grey is 0.4 away, the noise alone 0.06
    if classes:
        assert (nearest == label).float().mean() > 0.95

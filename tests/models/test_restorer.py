"""The restorer: what it is, what it keeps, and that it learns."""

from __future__ import annotations

import typing

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.learned.weights import load, save
from danqing.maths.colour import luma
from danqing.maths.damage import Damaged, Task, enlarged, filled, first_estimate, gain_for, hint_of
from danqing.models import restorer
from danqing.models.restorer import NETS, Restorer
from danqing.nets.noise_estimate import estimate_noise
from danqing.training.step import Stepper

TASKS = typing.get_args(Task)
MOST = {"tiny": 0.3e6, "small": 1e6, "base": 5e6}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def model(task="denoise", **params):
    torch.manual_seed(0)
    return Restorer(**{"size": 32, "task": task, "net": "tiny", "patch": 32, **params})


def taught(task="denoise", **params):
    """A net whose last layer is not zero, as if it had learned something."""
    net = model(task, **params).eval()
    last = net.net.paint if task == "colourise" else net.net.tail
    torch.nn.init.normal_(last.weight, std=0.01, generator=seeded(1))
    return net


def pictures(count=4, channels=3, height=32, width=32):
    return torch.rand(count, channels, height, width, generator=seeded(5))


def conditions(task, x):
    mask = (pictures(len(x), 1, *x.shape[-2:]) > 0.7).float()
    return {"inpaint": {"mask": mask}, "upscale": {"scale": torch.tensor(2)}}.get(task, {})


@pytest.mark.parametrize("net", NETS)
def test_sizes(net):
    assert sum(p.numel() for p in model(net=net).parameters()) <= MOST[net]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_task_trains_all_its_weights(task, channels):
    net = model(task)
    stepper = Stepper(net, net.optimiser, "fp32")
    rng = seeded()
    for _ in range(3):
        assert torch.tensor(list(stepper.step(Samples(pictures(channels=channels)), rng).values())).isfinite().all()
    next(net.losses(Samples(pictures(channels=channels)), rng))[1].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    assert net.readings()["psnr"] > 0
    assert net.preview(Samples(pictures(channels=channels)), rng).shape == (4, 3, 32, 32)
    assert net.score(Samples(pictures(channels=channels)))["-psnr"] < 0


def test_under_noise_errors_are_measured_by_what_is_usually_left(monkeypatch):
    clean = pictures(2)
    wrong = torch.tensor([10.0, 20.0]).view(2, 1, 1, 1) / 255
    damaged = Damaged(clean, hint_of(torch.tensor([20.0, 60.0]) / 255, clean), clean)
    monkeypatch.setattr(restorer, "damage", lambda *_: (clean, damaged))
    monkeypatch.setattr(Restorer, "_mended", lambda *_: clean + wrong)
    loss = next(model().losses(Samples(clean), seeded()))[1]
    assert loss.item() == pytest.approx(((101 / 41) ** 0.5 + (401 / 121) ** 0.5) / 2, rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("channels", "height", "width"), [(3, 1, 1), (1, 3, 37), (3, 17, 30)])
def test_any_size_is_restored(task, channels, height, width):
    x = pictures(2, channels, height, width)
    made = taught(task).restore(x, **conditions(task, x))
    scale = 2 if task == "upscale" else 1
    assert made.shape == (2, 3 if task == "colourise" else channels, scale * height, scale * width)
    assert made.min() >= 0
    assert made.max() <= 1


def test_a_net_that_learned_nothing_changes_nothing():
    x = pictures()
    for task in ("deblur", "dejpeg"):
        torch.testing.assert_close(model(task).restore(x), x)
    torch.testing.assert_close(
        model("lowlight").restore(x / 8), (x / 8 * gain_for(x / 8).view(-1, 1, 1, 1)).clamp(0, 1)
    )
    torch.testing.assert_close(model("lowlight").restore(x / 4, level=torch.tensor([2.0])), x / 2)
    torch.testing.assert_close(model("denoise").restore(x, level=torch.tensor([0.0])), x)
    first = first_estimate(x, torch.full((4, 1, 32, 32), 0.1)).clamp(0, 1)
    torch.testing.assert_close(model("denoise").restore(x, level=torch.tensor([0.1])), first)
    torch.testing.assert_close(model("upscale").restore(x, scale=torch.tensor(3)), enlarged(x, 96, 96))
    torch.testing.assert_close(model("colourise").restore(x), luma(x).expand_as(x))


def test_the_net_has_no_absolute_level():
    net = taught().net
    x = torch.cat([pictures(), pictures(), pictures(4, 1)], 1)
    with torch.no_grad():
        torch.testing.assert_close(net(x * 0.25), net(x) * 0.25, rtol=1e-4, atol=1e-6)
        assert net(x * 0).abs().max() == 0


def test_what_is_known_stays():
    x = pictures(2)
    mask = (pictures(2, 1) > 0.7).float()
    made = taught("inpaint").restore(x, mask=mask)
    assert torch.equal(made[(mask == 0).expand_as(x)], x[(mask == 0).expand_as(x)])
    assert not torch.equal(made, x)
    hidden = taught("inpaint").restore(x * (1 - mask), mask=mask)
    torch.testing.assert_close(hidden[(mask == 1).expand_as(x)], made[(mask == 1).expand_as(x)])


def test_colours_are_added_without_changing_brightness():
    net = taught("colourise")
    grey = pictures(2, 1) * 0.4 + 0.3
    made = net.restore(grey)
    torch.testing.assert_close(luma(made), grey, atol=1e-5, rtol=0)
    assert (made.amax(1) - made.amin(1)).max() > 1e-3


def test_the_level_told_changes_what_is_made():
    x = pictures(2)
    net = taught()
    weak, strong = (net.restore(x, level=torch.tensor([sigma])) for sigma in (0.05, 0.2))
    assert not torch.equal(weak, strong)
    each = net.restore(x, level=torch.tensor([0.05, 0.2]))
    torch.testing.assert_close(each[:1], weak[:1])
    torch.testing.assert_close(each[1:], strong[1:])


def test_the_level_is_estimated_if_it_is_not_told():
    x = (0.5 + 0.1 * torch.randn(2, 3, 64, 64, generator=seeded())).clamp(0, 1)
    net = taught()
    torch.testing.assert_close(net.restore(x), net.restore(x, level=estimate_noise(x).told))
    torch.testing.assert_close(estimate_noise(x).level, torch.full((2,), 0.1), rtol=0.05, atol=0)


def test_what_the_holes_hold_at_first_may_be_given():
    x, net = pictures(2), taught("inpaint")
    mask = (pictures(2, 1) > 0.7).float()
    begun = filled(x, mask)
    torch.testing.assert_close(net.restore(begun, mask=mask, begin=begun), net.restore(x, mask=mask), atol=1e-6, rtol=0)
    assert not torch.equal(net.restore(x, mask=mask, begin=x), net.restore(x, mask=mask))


def test_pictures_of_a_batch_do_not_meet():
    x = pictures()
    net = taught()
    torch.testing.assert_close(net.restore(x)[1:2], net.restore(x[1:2]))


def test_saved_and_loaded_it_restores_the_same(tmp_path):
    net = taught("dejpeg")
    save(net, tmp_path / "mine.safetensors")
    again = load(tmp_path / "mine.safetensors", kind=Restorer, task="dejpeg")
    assert torch.equal(again.restore(pictures()), net.restore(pictures()))
    with pytest.raises(ModelFileError, match="for the task dejpeg, not denoise"):
        load(tmp_path / "mine.safetensors", kind=Restorer, task="denoise")


def test_a_patch_must_fit():
    with pytest.raises(ParameterError, match="larger than the squares"):
        Restorer(size=64, patch=96)


def test_mixed_damage_is_learned_by_what_can_and_kept_in_the_file(tmp_path):
    save(taught("upscale", mixed=True), tmp_path / "mine.safetensors")
    assert load(tmp_path / "mine.safetensors", kind=Restorer).mixed
    save(taught("upscale"), tmp_path / "plain.safetensors")
    assert not load(tmp_path / "plain.safetensors", kind=Restorer).mixed
    for task in set(TASKS) - {"upscale", "deblur"}:
        with pytest.raises(ParameterError, match=f"upscale and deblur, not for {task}"):
            model(task, mixed=True)


def test_it_learns_to_take_noise_off_plain_pictures():
    net = model()
    stepper, rng = Stepper(net, Optimiser(lr=2e-3, betas=(0.9, 0.99)), "fp32"), seeded()
    flat = pictures(8, 3, 1, 1).expand(-1, -1, 32, 32).contiguous()
    for _ in range(80):
        stepper.step(Samples(flat), rng)
    scores = net.eval().score(Samples(flat))
    assert -scores["-psnr"] > scores["psnr_before"] + 2

"""Augmentations before the critic: of both sides alike, differentiable, and none of them shows in the samples."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.learned.model import Painter, Samples
from danqing.data.augment import augmentations
from danqing.maths.adversarial import anchored
from danqing.maths.before_critic import TOLD_CHANGES, Kind, augmented, augmented_and_told
from danqing.models.dcgan import DCGAN
from danqing.models.flow import Flow
from danqing.nets.adversary import mean_logit, plays
from danqing.training.adaptive import EVERY, Adaptive, kind_for
from danqing.training.doctor import MAX_CHANCE, Doctor
from danqing.training.step import Stepper


def halves(count: int, seed: int = 0) -> Tensor:
    """Pictures (N, 1, 16, 16) that are dark on the left and bright on the right."""
    rng = torch.Generator().manual_seed(seed)
    left, right = (low + 0.2 * torch.rand(count, 1, 1, 1, generator=rng) for low in (0.1, 0.7))
    halved = torch.cat([left.expand(-1, -1, 16, 8), right.expand(-1, -1, 16, 8)], 3)
    return (halved + 0.02 * torch.randn(count, 1, 16, 16, generator=rng)).clamp(0, 1)


def astray(painted: Tensor) -> float:
    """The share of pictures that are not as the real ones are: far darker on the left, and alike above and below."""
    across = painted[..., 8:].mean((1, 2, 3)) - painted[..., :8].mean((1, 2, 3))
    down = (painted[:, :, 8:].mean((1, 2, 3)) - painted[:, :, :8].mean((1, 2, 3))).abs()
    return float(((across < 0.3) | (down > 0.2)).float().mean())


def learned(net: Painter, data_augment: str, steps: int) -> float:
    """How much of what a small painter paints is astray after so many steps."""
    stepper, rng = Stepper(net, net.optimiser, "fp32"), torch.Generator().manual_seed(0)
    change = augmentations(data_augment)
    for step in range(steps):
        stepper.step(change(Samples(halves(32, step)), rng), rng)
    with torch.no_grad():
        return astray(net.eval().sample(200, rng))


def played(kind: Kind, chance: float, data_augment: str = "") -> float:
    """The same of a painter with a critic that sees augmented pictures."""
    torch.manual_seed(0)
    net = DCGAN(size=16, width=6, critic_width=6, latents=8)
    net.rules = net.rules._replace(augment=kind, chance=chance)
    return learned(net, data_augment, steps=400)


def flowed(told_augment: float, data_augment: str = "") -> float:
    """The same of a flow that is told what was done to its pictures."""
    torch.manual_seed(0)
    return learned(Flow(16, 1, width=16, dropout=0.0, told_augment=told_augment), data_augment, steps=300)


@pytest.mark.slow
def test_augmentations_do_not_leak_into_samples() -> None:
    assert astray(halves(200)) == 0
    assert astray(halves(200).flip(3)) == 1
    assert played("adaptive", 0.4) < 0.1
    assert played("none", 0.0, "rotate=180") > 0.3, "augmented pictures alone would be learned as they are"


@pytest.mark.slow
def test_what_a_flow_is_told_does_not_leak_into_its_samples() -> None:
    assert flowed(0.4) < 0.2
    assert flowed(0.0, "rotate=180") > 0.6, "augmented pictures alone would be learned as they are"


def test_what_is_told_is_what_was_done() -> None:
    """Pictures that are told to have been left alone are; the others are what the told matrix makes of them."""
    x, rng = torch.rand(64, 3, 24, 24), torch.Generator().manual_seed(0)
    changed, told = augmented_and_told(x, 0.12, rng)
    assert told.shape == (64, TOLD_CHANGES)
    alone = (told == 0).all(1)
    assert 8 < int(alone.sum()) < 56
    assert torch.equal(changed[alone], x[alone])
    assert all(not torch.equal(one, other) for one, other in zip(changed[~alone], x[~alone], strict=True))
    matrices = told.view(-1, 2, 3) + torch.eye(3)[:2]
    grid = functional.affine_grid(matrices, list(x.shape), align_corners=False)
    again = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(again, changed, atol=1e-4)


@pytest.mark.parametrize("kind", ["diff", "adaptive"])
def test_every_pixel_has_a_gradient_and_nothing_is_changed_in_place(kind: Kind) -> None:
    x = torch.rand(64, 3, 16, 16, requires_grad=True)
    before = x.detach().clone()
    augmented(x, kind, 0.5, torch.Generator().manual_seed(0)).square().sum().backward()
    assert torch.equal(x.detach(), before)
    assert x.grad is not None
    assert float((x.grad.abs().sum((0, 1)) > 0).float().mean()) == 1


def test_without_a_chance_nothing_changes_and_no_random_number_is_drawn() -> None:
    rng, x = torch.Generator().manual_seed(3), torch.rand(4, 1, 16, 16)
    state = rng.get_state()
    assert augmented(x, "none", 0.0, rng) is x
    assert augmented(x, "adaptive", 0.0, rng) is x
    net = Flow(size=16, channels=1, width=16, dropout=0.0, told_augment=0.0)
    assert net.changes is None
    assert torch.equal(rng.get_state(), state)


def test_the_share_of_changed_pictures_is_that_of_the_chances() -> None:
    x = torch.rand(1, 1, 16, 16).expand(4000, -1, -1, -1)
    chance = 0.1
    same = (augmented(x, "adaptive", chance, torch.Generator().manual_seed(0)) - x).abs().amax((1, 2, 3)) < 1e-5
    # no brightness and no contrast; half of all mirrorings, a quarter of all turns, one in 25 shifts change nothing
    stretched_or_rotated = 1 - (1 - chance) ** 3
    kept = (
        (1 - chance) ** 2
        * (1 - chance / 2)
        * (1 - 3 * chance / 4)
        * (1 - 24 * chance / 25)
        * (1 - stretched_or_rotated)
    )
    spread = (kept * (1 - kept) / 4000) ** 0.5
    assert abs(float(same.float().mean()) - kept) < 5 * spread


def test_lecam_is_zero_between_the_anchors_and_pulls_beyond_them() -> None:
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([-1.0, -3.0])
    assert float(anchored(real, fake, -4.0, 3.0)) == 0
    assert float(anchored(real, fake, 0.0, 0.0)) == pytest.approx((1 + 4) / 2 + (1 + 9) / 2)


def test_the_controller_raises_the_chance_of_a_critic_that_knows_its_pictures_by_heart() -> None:
    net = DCGAN(size=16, width=4, critic_width=4)
    assert plays(net)
    held_out = Samples(halves(16))
    for told, rises in ((lambda of_held_out: of_held_out + 8, True), (lambda of_held_out: of_held_out, False)):
        state = Adaptive(chance=0.3)
        for step in range(EVERY, 20 * EVERY, EVERY):
            logit = mean_logit(net, held_out.x, None, torch.Generator().manual_seed(step))
            net.verdict = torch.full((4,), told(logit)), torch.full((4,), logit - 1)
            state.follow(net, held_out, step, 16, "adaptive")
        assert (state.chance > 0.3) == rises
        assert state.overfitting == pytest.approx(8 / 9 if rises else 0, abs=1e-4)


def test_the_chance_stays_where_nothing_leaks() -> None:
    net = DCGAN(size=16, width=4, critic_width=4)
    Adaptive(chance=0.7).apply(net, Doctor(chance=0.6), "adaptive", 0.0, 0.1)
    assert net.rules.chance == MAX_CHANCE
    Adaptive().apply(net, Doctor(chance=0.2, gamma=3.0), "none", 0.0, 0.1)
    assert (net.rules.augment, net.rules.chance, net.rules.gamma) == ("adaptive", 0.2, pytest.approx(0.3))


def test_going_back_to_the_first_step_forgets_what_lecam_remembers() -> None:
    net = DCGAN(size=16, width=4, critic_width=4)
    there = Adaptive()
    net.anchors = (3.0, -3.0)
    there.apply(net, Doctor(), "none", 0.01, 0.1)
    assert net.anchors == ()


def test_few_pictures_are_augmented_unless_something_else_is_asked_for() -> None:
    assert kind_for("auto", 400) == "adaptive"
    assert kind_for("auto", 60_000) == "none"
    assert kind_for("none", 400) == "none"

"""Every loss and penalty against its closed form."""

import math

import pytest
import torch

from danqing.maths.adversarial import (
    between,
    critic_loss,
    flatness_penalty,
    gradient_penalty,
    painter_loss,
    slope,
)

REAL, FAKE = torch.tensor([2.0, 0.5]), torch.tensor([-1.0, 1.5])


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


CRITIC = {
    "relativistic": (softplus(-3) + softplus(1)) / 2,
    "non-saturating": (softplus(-2) + softplus(-0.5) + softplus(-1) + softplus(1.5)) / 2,
    "least-squares": (1**2 + 0.5**2 + 1**2 + 1.5**2) / 4,
    "hinge": (0 + 0.5 + 0 + 2.5) / 2,
    "wasserstein": 0.25 - 1.25,
}
PAINTER = {
    "relativistic": (softplus(3) + softplus(-1)) / 2,
    "non-saturating": (softplus(1) + softplus(-1.5)) / 2,
    "least-squares": (2**2 + 0.5**2) / 4,
    "hinge": -0.25,
    "wasserstein": -0.25,
}


@pytest.mark.parametrize("name", CRITIC)
def test_losses_have_their_closed_forms(name):
    assert critic_loss(name, REAL, FAKE).item() == pytest.approx(CRITIC[name], rel=1e-6)
    assert painter_loss(name, REAL, FAKE).item() == pytest.approx(PAINTER[name], rel=1e-6)


def test_the_relativistic_painter_plays_the_critics_game_with_the_sides_changed():
    assert torch.equal(painter_loss("relativistic", REAL, FAKE), critic_loss("relativistic", FAKE, REAL))


@pytest.mark.parametrize("name", ["relativistic", "wasserstein"])
def test_losses_that_compare_do_not_see_a_common_shift(name):
    assert critic_loss(name, REAL + 7, FAKE + 7).item() == pytest.approx(critic_loss(name, REAL, FAKE).item(), rel=1e-5)


def test_smoothing_moves_the_real_target_of_cross_entropy():
    expected = torch.nn.functional.binary_cross_entropy_with_logits(REAL, torch.full_like(REAL, 0.9))
    expected = expected + torch.nn.functional.binary_cross_entropy_with_logits(FAKE, torch.zeros_like(FAKE))
    assert critic_loss("non-saturating", REAL, FAKE, 0.1).item() == pytest.approx(expected.item(), rel=1e-6)


def test_smoothing_moves_the_real_target_of_least_squares():
    assert critic_loss("least-squares", torch.full((4,), 0.8), torch.zeros(4), 0.2).item() == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("name", ["non-saturating", "least-squares"])
def test_a_smoothed_critic_is_content_at_its_target(name):
    real = torch.tensor([math.log(9.0) if name == "non-saturating" else 0.9], requires_grad=True)
    critic_loss(name, real, torch.tensor([-1.0]), 0.1).backward()
    assert real.grad.item() == pytest.approx(0, abs=1e-6)


def test_losses_in_half_precision_are_summed_in_full():
    assert critic_loss("hinge", REAL.bfloat16(), FAKE.bfloat16()).dtype == torch.float32


def linear_critic(pictures: int = 5):
    w = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    x = torch.rand(pictures, 3, 4, 4, requires_grad=True)
    return w, x, (x * w).sum((1, 2, 3)) + 2


def test_the_slope_of_a_linear_critic_is_its_weight():
    w, x, logits = linear_critic()
    torch.testing.assert_close(slope(logits, x), w.square().sum().expand(5))


def test_r1_of_a_linear_critic_and_its_gradient():
    w, x, logits = linear_critic()
    penalty = flatness_penalty(slope(logits, x), gamma=0.5)
    assert penalty.item() == pytest.approx(0.25 * w.square().sum().item(), rel=1e-5)
    (gradient,) = torch.autograd.grad(penalty, w)
    torch.testing.assert_close(gradient, 0.5 * w)


def test_r1_of_a_quadratic_critic():
    x = torch.rand(6, 1, 3, 3, requires_grad=True)
    penalty = flatness_penalty(slope(x.square().sum((1, 2, 3)), x), gamma=2.0)
    assert penalty.item() == pytest.approx(4 * x.square().sum((1, 2, 3)).mean().item(), rel=1e-5)


def test_the_gradient_penalty_of_a_linear_critic():
    w, x, logits = linear_critic()
    expected = 10 * (w.norm().item() - 1) ** 2
    assert gradient_penalty(slope(logits, x), 10.0).item() == pytest.approx(expected, rel=1e-5)


def test_the_gradient_penalty_is_finite_for_a_flat_critic():
    w = torch.zeros(1, 2, 2, requires_grad=True)
    x = torch.rand(3, 1, 2, 2, requires_grad=True)
    penalty = gradient_penalty(slope((x * w).sum((1, 2, 3)), x), 1.0)
    penalty.backward()
    assert penalty.item() == pytest.approx(1, abs=1e-4)
    assert torch.isfinite(w.grad).all()


def test_between_goes_from_painted_to_real():
    real, fake = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    share = torch.tensor([0.0, 0.25, 1.0])
    torch.testing.assert_close(between(real, fake, share), share.view(3, 1, 1, 1).expand(3, 1, 2, 2))


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="none of"):
        critic_loss("minimax", REAL, FAKE)
    with pytest.raises(ValueError, match="none of"):
        painter_loss("minimax", REAL, FAKE)

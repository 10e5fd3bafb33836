"""The game that every GAN family here plays: one step of a painter against its critic."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypeGuard

import torch
from torch import Generator, Tensor, nn

from danqing.core.learned.model import Samples
from danqing.core.pictures.contract import Images
from danqing.maths.adversarial import (
    LossName,
    PenaltyName,
    anchored,
    between,
    compares_pairs,
    critic_loss,
    flatness_penalty,
    gradient_penalty,
    painter_loss,
    slope,
)
from danqing.maths.before_critic import Kind, augmented
from danqing.nets.projected import ProjectedCritic, hinge, led_by_both, liking

ANCHOR_MEMORY = 0.99  # of the logits' running means from one step to the next, as in LeCam's program


class Verdict(NamedTuple):
    """What a critic says of pictures.

    Attributes:
        logits: (B,), how real each looks, for its label.
        unnamed: (B,), cross entropy in nats of the label by what the critic would name it; None if it names nothing.
    """

    logits: Tensor
    unnamed: Tensor | None = None


class Rules(NamedTuple):
    """How the game is played; each is independent of the nets and of the others.

    Attributes:
        loss: what a logit is worth.
        penalty: which slope of the critic is penalised.
        gamma: how strongly.
        every: steps between two penalties, each of which then counts that many times.
        smoothing: of the real pictures' targets.
        critic_steps: steps of the critic for one of the painter.
        naming: how much both also learn from the critic naming the class.
        augment: what is done to all pictures before the critic sees them.
        chance: of each change, where that is adaptive.
        anchor: how strongly logits are pulled to each other's running means (LeCam); 0: not at all.
    """

    loss: LossName
    penalty: PenaltyName
    gamma: float
    every: int
    smoothing: float
    critic_steps: int
    naming: float = 0.0
    augment: Kind = "none"
    chance: float = 0.0
    anchor: float = 0.0


class Adversary(Protocol):
    """What a family must have to play.

    ``painter(z, label)`` gives pictures in [-1, 1], ``critic(x, label, rng)`` gives a Verdict. ``played`` is a buffer
    that counts the critic's steps, ``verdict`` the last logits of real and painted pictures, ``anchors`` the running
    means of these; empty before the first step.
    """

    rules: Rules
    played: Tensor
    verdict: tuple[Tensor, Tensor] | None
    anchors: tuple[float, ...]

    @property
    def painter(self) -> nn.Module: ...

    @property
    def critic(self) -> nn.Module: ...

    @property
    def latent(self) -> tuple[int, ...]: ...


class ByChance(nn.Module):
    """A painter that learns by more chance than its latent holds: fresh noise, mixed styles."""

    @abstractmethod
    def practise(self, z: Tensor, label: Tensor | None, rng: Generator) -> Tensor:
        """Paint in [-1, 1] as it does while it learns."""


def plays(model: nn.Module) -> TypeGuard[Adversary]:
    """Whether a model is a painter with its critic, whose game a run may change on the way."""
    return isinstance(getattr(model, "rules", None), Rules) and isinstance(getattr(model, "critic", None), nn.Module)


def adversarial_losses(
    model: Adversary, batch: Samples, rng: Generator, softness: float = 1.0, beside: ProjectedCritic | None = None
) -> Iterator[tuple[str, Tensor]]:
    """Yield the critic's loss, then the painter's: the body of ``losses`` for a family of painter and critic.

    Both steps share one forward pass of the painter: the critic learns from the detached pictures, and the painter is
    then judged, on the same pictures, by the critic as it has become. Painted pictures take the real ones' labels. The
    penalty's strength is multiplied by ``softness``. A critic ``beside`` that of pixels learns between the two, as the
    part ``projected``, once a step; the painter follows both.
    """
    real, label = batch.x * 2 - 1, batch.y
    for _ in range(model.rules.critic_steps - 1):
        with torch.no_grad():
            fake = paint_like(model, real, label, rng)
        yield "critic", _criticise(model, real, fake, label, rng, softness)
    fake = paint_like(model, real, label, rng)
    yield "critic", _criticise(model, real, fake.detach(), label, rng, softness)
    maps: list[Tensor] = []
    if beside is not None:
        of_real, maps = beside.views(_augmented(model.rules, real, rng), _augmented(model.rules, fake, rng), rng)
        yield "projected", hinge(beside(of_real, label), beside([each.detach() for each in maps], label))
    on_fake = model.critic(_augmented(model.rules, fake, rng), label, rng)
    with torch.no_grad():
        pairs = compares_pairs(model.rules.loss)
        on_real = model.critic(_augmented(model.rules, real, rng), label, rng) if pairs else on_fake
    loss = painter_loss(model.rules.loss, on_real.logits, on_fake.logits) + _named(model.rules, on_fake)
    if beside is not None:
        loss = led_by_both(fake, loss, -liking(beside(maps, label)), beside.share)
    yield "painter", loss


def _named(rules: Rules, verdict: Verdict) -> Tensor | float:
    """What naming the class adds to a loss.

    Source: Odena et al. 2017 (AC-GAN), eq. 3; only real pictures teach the critic, as in Kang et al. 2021 (ReACGAN).
    """
    return 0.0 if verdict.unnamed is None else rules.naming * verdict.unnamed.mean()


def paint_like(model: Adversary, real: Tensor, label: Tensor | None, rng: Generator) -> Tensor:
    """Paint as many pictures as there are real ones, of their classes, in [-1, 1]."""
    z = torch.randn(len(real), *model.latent, generator=rng, device=rng.device).to(real.device)
    painter = model.painter
    fake: Tensor = painter.practise(z, label, rng) if isinstance(painter, ByChance) else painter(z, label)
    return fake.float()


def judge_pictures(critic: nn.Module, x: Images, label: Tensor | None) -> Tensor:
    """How real pictures in [0, 1] look to a critic, for their labels: its logits (B,)."""
    logits: Tensor = critic(x * 2 - 1, label, Generator()).logits
    return logits.float()


def verdict_readings(model: Adversary) -> dict[str, float]:
    """Give the shares of real and painted pictures that the critic told, and the gap between their logits.

    A critic that compares pairs has one accuracy only: the share of pairs it put in order.
    """
    if model.verdict is None:
        return {}
    real, fake = model.verdict
    gap = float(real.mean() - fake.mean())
    if compares_pairs(model.rules.loss):
        return {"critic_accuracy": float((real > fake).float().mean()), "logit_gap": gap}
    edge = {"least-squares": 0.5, "wasserstein": float(real.mean() + fake.mean()) / 2}.get(model.rules.loss, 0.0)
    on_real, on_fake = float((real > edge).float().mean()), float((fake < edge).float().mean())
    both = {"critic_accuracy": (on_real + on_fake) / 2, "logit_gap": gap}
    return {**both, "critic_accuracy_real": on_real, "critic_accuracy_fake": on_fake}


def _criticise(
    model: Adversary, real: Tensor, fake: Tensor, label: Tensor | None, rng: Generator, softness: float
) -> Tensor:
    rules = model.rules
    due = rules.penalty != "none" and int(model.played) % rules.every == 0
    model.played += 1
    at_points = due and rules.penalty in ("r1", "r1+r2")
    real, fake = _augmented(rules, real, rng).detach(), _augmented(rules, fake, rng).detach()
    real, fake = real.requires_grad_(at_points), fake.requires_grad_(at_points)
    verdict_on_real, verdict_on_fake = _judge(model.critic, real, fake, label, rng)
    on_real, on_fake = verdict_on_real.logits, verdict_on_fake.logits
    model.verdict = on_real.detach().float(), on_fake.detach().float()
    loss = critic_loss(rules.loss, on_real, on_fake, rules.smoothing) + _named(rules, verdict_on_real)
    if rules.anchor:
        loss = loss + rules.anchor * anchored(on_real, on_fake, *_anchors(model))
    if not due:
        return loss
    if rules.penalty == "gradient":
        share = torch.rand(len(real), generator=rng, device=rng.device).to(real.device)
        midway = between(real, fake, share).requires_grad_()
        penalty = gradient_penalty(slope(model.critic(midway, label, rng).logits, midway), rules.gamma)
    else:
        penalty = flatness_penalty(slope(on_real, real), rules.gamma)
        if rules.penalty == "r1+r2":
            penalty = penalty + flatness_penalty(slope(on_fake, fake), rules.gamma)
    return loss + rules.every * softness * penalty


def _augmented(rules: Rules, x: Tensor, rng: Generator) -> Tensor:
    return augmented(x, rules.augment, rules.chance, rng)


def _anchors(model: Adversary) -> tuple[float, float]:
    """The running means of the logits of real and of painted pictures, the last step's counted in."""
    assert model.verdict is not None
    now = float(model.verdict[0].mean()), float(model.verdict[1].mean())
    known = model.anchors or now
    means = (
        ANCHOR_MEMORY * known[0] + (1 - ANCHOR_MEMORY) * now[0],
        ANCHOR_MEMORY * known[1] + (1 - ANCHOR_MEMORY) * now[1],
    )
    model.anchors = means
    return means


@torch.no_grad()
def mean_logit(model: Adversary, x: Tensor, label: Tensor | None, rng: Generator) -> float:
    """What the critic says of pictures (B, C, H, W) in [0, 1], on average, seen as it sees those it learns from."""
    critic = model.critic
    learning = critic.training
    critic.eval()
    logits = critic(_augmented(model.rules, x * 2 - 1, rng), label, rng).logits
    critic.train(learning)
    return float(logits.float().mean())


def _judge(
    critic: nn.Module, real: Tensor, fake: Tensor, label: Tensor | None, rng: Generator
) -> tuple[Verdict, Verdict]:
    """Judge both kinds of pictures, in one call unless the critic normalises by its batch, which must not mix them."""
    if any(isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) for module in critic.modules()):
        return critic(real, label, rng), critic(fake, label, rng)
    both = None if label is None else torch.cat([label, label])
    verdict = critic(torch.cat([real, fake]), both, rng)
    logits = verdict.logits.chunk(2)
    unnamed = (None, None) if verdict.unnamed is None else verdict.unnamed.chunk(2)
    return Verdict(logits[0], unnamed[0]), Verdict(logits[1], unnamed[1])

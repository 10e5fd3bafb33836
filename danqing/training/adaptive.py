"""Adaptive augmentation: as much of it before the critic as keeps that from learning its pictures by heart."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator

from danqing.core.learned.model import Model, Samples
from danqing.maths.before_critic import Kind
from danqing.nets.adversary import mean_logit, plays
from danqing.training.doctor import MAX_CHANCE, Doctor

EVERY = 4  # steps between two measurements
TARGET = 0.5  # of the overfitting that is tolerated
WHOLE = 100_000  # pictures in which the chance can go from 0 to 1: the paper's for short runs
MEMORY = 0.9  # of the running means from one measurement to the next
FEW = 5_000  # pictures below which it is on unless something else is asked for


@dataclass
class Adaptive:
    """The controller; its fields are its state, saved and resumed with a run.

    Attributes:
        chance: of each augmentation, as it has found it.
        learned: running mean of the critic's logits of training pictures.
        held_out: of pictures that it does not learn from.
        painted: of painted ones.
        measured: how many measurements there were.
        anchors: running means of LeCam, real and painted; empty before the first step.

    Source: Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", eq. 1 (r_v) and sec. 3.
    """

    chance: float = 0.0
    learned: float = 0.0
    held_out: float = 0.0
    painted: float = 0.0
    measured: int = 0
    anchors: tuple[float, ...] = ()

    @property
    def overfitting(self) -> float | None:
        """From 0, held-out pictures look like training pictures to the critic, to 1, like painted ones."""
        way = self.learned - self.painted
        return (self.learned - self.held_out) / way if self.measured and way > 0 else None

    def readings(self) -> dict[str, float]:
        """What there is to be logged: nothing of families without a critic."""
        found = self.overfitting
        return {} if found is None else {"critic_overfitting": found, "augment_chance": self.chance}

    def follow(self, model: Model, held_out: Samples, step: int, pictures: int, kind: Kind) -> None:
        """Measure, now and then, and turn the chance towards what is needed.

        Args:
            model: what is trained.
            held_out: pictures that it does not learn from.
            step: the one that was done.
            pictures: of a step, over all processes.
            kind: of augmentation, as the run has it.
        """
        if not plays(model) or model.verdict is None:
            return
        self.anchors = model.anchors
        if step % EVERY or not len(held_out.x):
            return
        at = (step // EVERY * pictures) % len(held_out.x)
        some = held_out.map(lambda each: each[at : at + pictures])
        rng = Generator().manual_seed(step)
        now = (float(model.verdict[0].mean()), mean_logit(model, some.x, some.y, rng), float(model.verdict[1].mean()))
        self.measured += 1
        keep = MEMORY if self.measured > 1 else 0.0
        before = (self.learned, self.held_out, self.painted)
        self.learned, self.held_out, self.painted = (
            keep * old + (1 - keep) * new for old, new in zip(before, now, strict=True)
        )
        if kind == "adaptive" and self.overfitting is not None:
            change = EVERY * pictures / WHOLE
            self.chance = min(MAX_CHANCE, max(0.0, self.chance + (change if self.overfitting > TARGET else -change)))

    def apply(self, model: Model, doctor: Doctor, kind: Kind, anchor: float, gamma: float) -> None:
        """Set the rules of the game for the next step.

        Args:
            model: what is trained.
            doctor: with what its cures have changed.
            kind: of augmentation, as the run has it.
            anchor: LeCam's strength.
            gamma: the penalty's strength, as the family was built with it.
        """
        if not plays(model):
            return
        chance = min(MAX_CHANCE, self.chance + doctor.chance)
        used: Kind = "adaptive" if kind == "none" and doctor.chance else kind
        rules = model.rules._replace(gamma=gamma * doctor.gamma, augment=used, chance=chance, anchor=anchor)
        if rules.penalty == "none" and doctor.gamma != 1:  # a cure that strengthens the penalty begins with having one
            rules = rules._replace(penalty="r1+r2")
        model.rules, model.anchors = rules, tuple(self.anchors)


def kind_for(asked: str, pictures: float) -> Kind:
    """What is done before the critic: what is asked for, or, for ``auto``, adaptive where pictures are few."""
    if asked == "auto":
        return "adaptive" if pictures < FEW else "none"
    return asked  # type: ignore[return-value]  # one of the choices, as the form has checked


__all__ = ["FEW", "Adaptive", "kind_for"]

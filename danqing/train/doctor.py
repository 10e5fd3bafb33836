"""The doctor watches a run: it heals numbers that break, and says in plain words what goes wrong and what helps."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import TrainingFailed


class Alarm(NamedTuple):
    """What the doctor found, where the run was, and what helps."""

    name: str
    step: int
    words: str
    remedy: str


CRITIC_WINS = 0.99  # share of pictures told apart, as a running mean
CRITIC_MEMORY = 0.98  # of that mean from one step to the next
CRITIC_PATIENCE = 200  # steps before it counts; early on every critic wins for a while
COLLAPSE = 0.45  # diversity of the painted against that of the real
COLLAPSE_PATIENCE = 2  # looks in a row
COLLAPSE_FROM = 20_000  # pictures seen; before that every young model repeats itself
MAX_ROLLBACKS = 4  # in a row without a good checkpoint between
HEAL = 0.5  # what a rollback does to the learning rate

CURES = {
    "critic-wins": (
        "the critic tells nearly every picture apart, so the painter learns nothing",
        "Lower --lr, add augmentations (--augment flip,rotate=10), give the critic dropout or a stronger gradient "
        "penalty, or bring more pictures",
    ),
    "collapse": (
        "the painted pictures are far more alike than the real ones: the painter repeats itself",
        "Lower --lr, try --loss relativistic with its gradient penalty, raise the batch, or bring more varied pictures",
    ),
    "no-variety": (
        "the pictures to learn from are (nearly) all the same, so nothing but copies can be learnt",
        "Bring more and different pictures; `danqing data check` counts the duplicates",
    ),
    "non-finite": (
        "the numbers broke (infinite or not a number): went back to the last good checkpoint and halved the "
        "learning rate",
        "If it repeats, lower --lr, use --clip 1, or train with --precision fp32",
    ),
}


@dataclass
class Doctor:
    """The patient's history; JSON values, saved and resumed with the run."""

    rate: float = 1.0
    rollbacks: int = 0
    accuracy: float = 0.5
    winning: int = 0
    alike: int = 0
    raised: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The history as JSON values."""
        return asdict(self)

    def healthy(self, losses: dict[str, float]) -> bool:
        """Whether every loss is a finite number."""
        return all(math.isfinite(loss) for loss in losses.values())

    def heal(self, step: int) -> Alarm:
        """Lower the rate after a rollback.

        Raises:
            TrainingFailed: if rolling back has not helped.
        """
        self.rollbacks += 1
        self.rate *= HEAL
        words, remedy = CURES["non-finite"]
        if self.rollbacks > MAX_ROLLBACKS:
            raise TrainingFailed(
                f"the numbers broke {self.rollbacks} times near step {step}, the last time at "
                f"{self.rate / HEAL:g} of the learning rate",
                remedy="Lower --lr by ten, use --clip 1, or check the pictures (`danqing data check`). "
                "The last good checkpoint is kept in the run folder",
            )
        return Alarm("non-finite", step, words, remedy)

    def recovered(self) -> None:
        """Note that a good checkpoint was reached: the next break is a new one."""
        self.rollbacks = 0

    def watch(self, step: int, readings: dict[str, float]) -> Alarm | None:
        """Look at the readings of a step; ``critic_accuracy`` is the share of pictures the critic told apart."""
        told = readings.get("critic_accuracy", 0.0)
        self.accuracy = CRITIC_MEMORY * self.accuracy + (1 - CRITIC_MEMORY) * told
        self.winning = self.winning + 1 if self.accuracy >= CRITIC_WINS else 0
        return self._raise("critic-wins", step) if self.winning >= CRITIC_PATIENCE else None

    def look(self, step: int, seen: int, painted: Tensor, real: Tensor) -> Alarm | None:
        """Compare the diversity of painted and real pictures, each as features (N, D), after ``seen`` pictures."""
        ours, theirs = diversity(painted), diversity(real)
        if theirs < 1e-3 * (real.norm(dim=1).mean() + 1e-12):
            return self._raise("no-variety", step)
        self.alike = self.alike + 1 if ours < COLLAPSE * theirs and seen >= COLLAPSE_FROM else 0
        return self._raise("collapse", step) if self.alike >= COLLAPSE_PATIENCE else None

    def _raise(self, name: str, step: int) -> Alarm | None:
        if name in self.raised:
            return None
        self.raised.append(name)
        return Alarm(name, step, *CURES[name])


def diversity(features: Tensor) -> float:
    """The mean distance between two different rows of (N, D)."""
    count = len(features)
    return float(torch.cdist(features.double(), features.double()).sum() / (count * (count - 1)))

"""A critic that tells painted and real pictures apart nearly always, for long, while the painter learns nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, Moment, View

SHARE = 0.99  # of pictures told apart, as a running mean
MEMORY = 0.98  # of that mean from one step to the next
PATIENCE = 200  # steps before it counts; early on every critic wins for a while
NEAR, FAR = 1.25, 0.5  # a painter learns whose score is near its best, and that far below the first


@dataclass
class CriticWins(Alarm):
    """Watches the reading ``critic_accuracy``, the share of pictures that the critic told apart, and the first score.

    A critic that compares pairs tells nearly all of them apart late in a good run, too. A lower rate slows the painter
    as much as the critic, so that it is lowered only where there is no penalty to be raised.
    """

    words: ClassVar[str] = "the critic tells nearly every picture apart, so the painter learns nothing"
    remedy: ClassVar[str] = (
        "Raise --gamma, leave --lr out if it was given, add augmentations (--augment flip,rotate=10), give the critic "
        "dropout, or bring more pictures"
    )
    cure: ClassVar[Cure] = Cure(gamma=4.0, bare=0.4)
    accuracy: float = 0.5
    winning: int = 0
    first: float | None = None
    best: float = float("1e300")
    learns: bool = False

    def watch(self, moment: Moment) -> bool:
        told = moment.readings.get("critic_accuracy", 0.0)
        self.accuracy = MEMORY * self.accuracy + (1 - MEMORY) * told
        self.winning = self.winning + 1 if self.accuracy >= SHARE else 0
        return self.winning >= PATIENCE and not self.learns

    def look(self, view: View) -> bool:
        value = next(iter(view.scores.values()), None)
        if value is None or value < 0:  # negated figures are no distances
            return False
        self.first = value if self.first is None else self.first
        self.best = min(self.best, value)
        self.learns = value <= NEAR * self.best and value <= FAR * self.first
        return False

    @property
    def calm(self) -> bool:
        return self.winning == 0 or self.learns

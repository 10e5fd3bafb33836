"""A run that was far better before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, View

TIMES = 2.0  # the best score: as bad
PATIENCE = 2  # looks in a row
FROM = 20_000  # pictures seen; early scores come and go


@dataclass
class ScoresFall(Alarm):
    """Compares the first score, on held-out pictures, with the best that it was; less is better."""

    words: ClassVar[str] = "the score on held-out pictures is far worse than it was"
    remedy: ClassVar[str] = "Lower --lr, raise --gamma, or take best.safetensors"
    cure: ClassVar[Cure] = Cure(rate=0.4, gamma=3.0)
    best: float = float("1e300")
    fallen: int = 0

    def look(self, view: View) -> bool:
        value = next(iter(view.scores.values()), None)
        if value is None or value < 0:  # negated figures, such as accuracies, are no distances
            return False
        self.best = min(self.best, value)
        self.fallen = self.fallen + 1 if value > TIMES * self.best and view.seen >= FROM else 0
        return self.fallen >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.fallen == 0

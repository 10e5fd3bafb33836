"""A run that was far better before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Cure, Lasting, View

TIMES = 2.0  # the best score: as bad


@dataclass
class ScoresFall(Lasting):
    """Compares the first score, on held-out pictures, with the best that it was; less is better."""

    words: ClassVar[str] = "the score on held-out pictures is far worse than it was"
    remedy: ClassVar[str] = "Lower --lr, raise --gamma (of a flow: --told-augment), or take best.safetensors"
    cure: ClassVar[Cure] = Cure(rate=0.4, gamma=3.0)
    begins_at: ClassVar[int] = 20_000  # early scores come and go
    best: float = float("1e300")

    def amiss(self, view: View) -> bool:
        value = next(iter(view.scores.values()), None)
        if value is None or value < 0:  # negated figures, such as accuracies, are no distances
            return False
        self.best = min(self.best, value)
        return value > TIMES * self.best

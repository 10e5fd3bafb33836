"""A run whose score has long not become better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, View

PATIENCE = 6  # looks without a better score
TIMES = 3.0  # as many pictures seen as at the best look: of looks close together, scores differ by chance for long
BEGINS_AT = 2_000  # pictures seen: of less, looks lie so near to each other that scores differ by chance
WORSE = 0.05  # of the best: by so much must it be worse by then; figures may be negated


@dataclass
class NoProgress(Alarm):
    """Follows the first score, on held-out pictures."""

    words: ClassVar[str] = "the score on held-out pictures has not become better for long"
    remedy: ClassVar[str] = (
        "Stop here and take best.safetensors; more pictures, another size or another family may help, more time hardly"
    )
    best: float = float("1e300")
    best_at: int = 0
    idle: int = 0

    def look(self, view: View) -> bool:
        value = next(iter(view.scores.values()), None)
        if value is None:
            return False
        if value < self.best:
            self.best, self.best_at, self.idle = value, view.seen, 0
            return False
        self.idle += 1
        long = self.idle >= PATIENCE and view.seen >= max(BEGINS_AT, TIMES * self.best_at)
        return long and value > self.best + (WORSE + 1e-9) * abs(self.best)

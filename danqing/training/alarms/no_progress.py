"""A run whose score has long not become better."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from danqing.training.alarm import Alarm, View

PATIENCE = 6  # looks without a better score
TIMES = 3.0  # as many pictures seen as at the best look: of looks close together, scores differ by chance for long
HALF_LIVES = 2.0  # of the averaged weights, which are what is scored: before, those of the beginning still count
BEGINS_AT = 10_000  # pictures seen: of less, looks lie so near to each other that scores differ by chance
WORSE = 0.05  # of the best: by so much must it be worse by then; figures may be negated


@dataclass
class NoProgress(Alarm):
    """Follows the first score: all since the best are worse, and come no nearer to it.

    Attributes:
        best: of all scores.
        best_at: pictures seen by then.
        best_step: the step that it was.
        after: the scores since.
    """

    words: ClassVar[str] = "the score has not become better for long"
    remedy: ClassVar[str] = (
        "Stop here and take best.safetensors; more pictures, another size or another family may help, more time hardly"
    )
    best: float = float("1e300")
    best_at: int = 0
    best_step: int = 0
    after: list[float] = field(default_factory=list)

    def look(self, view: View) -> bool:
        value = next(iter(view.scores.values()), None)
        if value is None:
            return False
        if value < self.best:
            self.best, self.best_at, self.best_step, self.after = value, view.seen, view.step, []
            return False
        self.after.append(value)
        long = view.seen >= max(BEGINS_AT, TIMES * self.best_at, self.best_at + HALF_LIVES * view.half_life)
        worse = value > self.best + (WORSE + 1e-9) * abs(self.best)
        return long and len(self.after) >= PATIENCE and worse and not self._nears()

    @property
    def since(self) -> int:
        return self.best_step

    def _nears(self) -> bool:
        """Whether the later half of the scores since the best has come clearly nearer to it than the earlier one."""
        half = len(self.after) // 2
        earlier, later = min(self.after[:half]), min(self.after[half:])
        return later < earlier - WORSE * abs(earlier)

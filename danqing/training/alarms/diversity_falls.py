"""A painter that was more varied before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, View
from danqing.training.diversity import COLLAPSED, diversity, varied

FALL = 0.7  # of the most varied that it was, no more than the real pictures are
PATIENCE = 2  # looks in a row
FROM = 20_000  # pictures seen; noise of the first steps is varied, too


@dataclass
class DiversityFalls(Alarm):
    """Compares the diversity of the painted pictures with what it was at earlier looks."""

    words: ClassVar[str] = "the painted pictures become more and more alike"
    remedy: ClassVar[str] = "Raise --gamma, lower --lr, or go back to best.safetensors; a raised batch helps, too"
    cure: ClassVar[Cure] = Cure(rate=0.7, gamma=2.0)
    most: float = 0.0
    falling: int = 0

    def look(self, view: View) -> bool:
        if view.seen < FROM or not varied(view.real):
            return False
        now = min(1.0, diversity(view.painted) / diversity(view.real))
        self.most = max(self.most, now)
        self.falling = self.falling + 1 if COLLAPSED <= now < FALL * self.most else 0  # below that it is a collapse
        return self.falling >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.falling == 0

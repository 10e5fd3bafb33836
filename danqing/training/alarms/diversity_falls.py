"""A painter that was more varied before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Cure, Lasting, View
from danqing.training.diversity import COLLAPSED, diversity, varied

FALL = 0.7  # of the most varied that it was, no more than the real pictures are


@dataclass
class DiversityFalls(Lasting):
    """Compares the diversity of the painted pictures with what it was at earlier looks."""

    words: ClassVar[str] = "the painted pictures become more and more alike"
    remedy: ClassVar[str] = "Raise --gamma, lower --lr, or go back to best.safetensors; a raised batch helps, too"
    cure: ClassVar[Cure] = Cure(rate=0.7, gamma=2.0)
    begins_at: ClassVar[int] = 20_000  # noise of the first steps is varied, too
    most: float = 0.0

    def amiss(self, view: View) -> bool:
        if view.seen < self.begins_at or not varied(view.real):
            return False
        now = min(1.0, diversity(view.painted) / diversity(view.real))
        self.most = max(self.most, now)
        return COLLAPSED <= now < FALL * self.most  # below that it is a collapse

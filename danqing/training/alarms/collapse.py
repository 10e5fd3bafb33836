"""A painter that repeats itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, View
from danqing.training.diversity import COLLAPSED, diversity, varied

PATIENCE = 2  # looks in a row
FROM = 20_000  # pictures seen; before that every young model repeats itself


@dataclass
class Collapse(Alarm):
    """Compares the diversity of the painted pictures with that of the real ones."""

    words: ClassVar[str] = "the painted pictures are far more alike than the real ones: the painter repeats itself"
    remedy: ClassVar[str] = (
        "Lower --lr, try --loss relativistic with its gradient penalty, raise the batch, or bring more varied pictures"
    )
    cure: ClassVar[Cure] = Cure(rate=0.4, gamma=3.0)
    alike: int = 0

    def look(self, view: View) -> bool:
        poor = varied(view.real) and diversity(view.painted) < COLLAPSED * diversity(view.real)
        self.alike = self.alike + 1 if poor and view.seen >= FROM else 0
        return self.alike >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.alike == 0

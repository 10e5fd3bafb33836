"""A painter that repeats itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Cure, Lasting, View
from danqing.training.diversity import COLLAPSED, diversity, varied


@dataclass
class Collapse(Lasting):
    """Compares the diversity of the painted pictures with that of the real ones."""

    words: ClassVar[str] = "the painted pictures are far more alike than the real ones: the painter repeats itself"
    remedy: ClassVar[str] = (
        "Lower --lr, try --loss relativistic with its gradient penalty, raise the batch, or bring more varied pictures"
    )
    cure: ClassVar[Cure] = Cure(rate=0.4, gamma=3.0)
    begins_at: ClassVar[int] = 20_000  # before that every young model repeats itself

    def amiss(self, view: View) -> bool:
        return varied(view.real) and diversity(view.painted) < COLLAPSED * diversity(view.real)

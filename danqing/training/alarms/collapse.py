"""A painter that repeats itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Cure, Lasting, View
from danqing.training.diversity import COLLAPSED, COLLAPSED_WITHIN, diversity, diversity_within, varied


@dataclass
class Collapse(Lasting):
    """Compares the diversity of the painted pictures with that of the real ones: of all, and of those of one class.

    A painter that has one picture for each class is as varied as the classes are.
    """

    words: ClassVar[str] = "the painted pictures are far more alike than the real ones: the painter repeats itself"
    remedy: ClassVar[str] = (
        "Lower --lr, try --loss relativistic with its gradient penalty, raise the batch, or bring more varied pictures"
    )
    cure: ClassVar[Cure] = Cure(rate=0.4, gamma=3.0)
    begins_at: ClassVar[int] = 20_000  # before that every young model repeats itself

    def amiss(self, view: View) -> bool:
        if not varied(view.real):
            return False
        if diversity(view.painted) < COLLAPSED * diversity(view.real):
            return True
        if view.labels is None:
            return False
        painted, real = (diversity_within(each, view.labels) for each in (view.painted, view.real))
        return painted < COLLAPSED_WITHIN * real

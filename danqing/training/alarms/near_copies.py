"""A painter that copies its training pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, View
from danqing.training.copies import copied

MOST = 0.25  # share of painted pictures that are near copies
PATIENCE = 2  # looks in a row


@dataclass
class NearCopies(Alarm):
    """Counts the painted pictures that lie nearer to a training picture than other real pictures ever do."""

    words: ClassVar[str] = "more and more of what is painted are near copies of training pictures"
    remedy: ClassVar[str] = (
        "Stop here, bring more pictures, give --critic-augment adaptive, or begin with other weights (--from)"
    )
    cure: ClassVar[Cure] = Cure(chance=0.2)
    copying: int = 0

    def look(self, view: View) -> bool:
        bad = view.beside is not None and float(copied(*view.beside).float().mean()) > MOST
        self.copying = self.copying + 1 if bad else 0
        return self.copying >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.copying == 0

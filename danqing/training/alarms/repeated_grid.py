"""A painter that leaves a grid on everything it paints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.maths.spectrum import grid_strength
from danqing.training.alarm import Alarm, View

TIMES = 3.0  # as strong as in the real pictures
LEAST = 4.0  # times as strong as the frequencies around it, to be seen at all
PATIENCE = 2  # looks in a row
FROM = 20_000  # pictures seen; the grids of the first steps go by themselves


@dataclass
class RepeatedGrid(Alarm):
    """Looks in the spectrum of the painted pictures for frequencies of a net's strides that stand out."""

    words: ClassVar[str] = "a grid is repeated over everything that is painted"
    remedy: ClassVar[str] = "Lower --lr, use another --norm, or a family that enlarges smoothly"
    gridded: int = 0

    def look(self, view: View) -> bool:
        bad = False
        if view.pictures is not None and view.originals is not None and view.seen >= FROM:
            strength = grid_strength(view.pictures)
            bad = strength > max(LEAST, TIMES * grid_strength(view.originals))
        self.gridded = self.gridded + 1 if bad else 0
        return self.gridded >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.gridded == 0

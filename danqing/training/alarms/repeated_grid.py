"""A painter that leaves a grid on everything it paints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.maths.spectrum import grid_strength
from danqing.training.alarm import Lasting, View

TIMES = 3.0  # as strong as in the real pictures
LEAST = 4.0  # times as strong as the frequencies around it, to be seen at all


@dataclass
class RepeatedGrid(Lasting):
    """Looks in the spectrum of the painted pictures for frequencies of a net's strides that stand out."""

    words: ClassVar[str] = "a grid is repeated over everything that is painted"
    remedy: ClassVar[str] = "Take --doubling smooth where the family has it, lower --lr, or use another --norm"
    begins_at: ClassVar[int] = 20_000  # the grids of the first steps go by themselves

    def amiss(self, view: View) -> bool:
        if view.pictures is None or view.originals is None:
            return False
        return grid_strength(view.pictures) > max(LEAST, TIMES * grid_strength(view.originals))

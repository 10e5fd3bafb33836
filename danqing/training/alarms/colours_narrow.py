"""A painter that uses few of the colours there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.core.pictures.contract import Images
from danqing.maths.tints import spread_of_tints
from danqing.training.alarm import Alarm, Cure, View

LEAST = 0.5  # spread of the painted tints against that of the real ones
COLOURLESS = 0.02  # spread of real tints below which there is nothing to narrow
PATIENCE = 2  # looks in a row
FROM = 20_000  # pictures seen; young painters are pale


@dataclass
class ColoursNarrow(Alarm):
    """Compares how far tints are spread in the painted pictures with how far they are in the real ones.

    A Fréchet distance on features of a classifier hardly sees it.
    """

    words: ClassVar[str] = "the painted pictures use far fewer colours than the real ones"
    remedy: ClassVar[str] = "Raise --gamma, lower --lr; a critic on pixels sees colours, one on features alone does not"
    cure: ClassVar[Cure] = Cure(rate=0.7, gamma=2.0)
    narrow: int = 0

    def look(self, view: View) -> bool:
        poor = view.seen >= FROM and _narrow(view.pictures, view.originals)
        self.narrow = self.narrow + 1 if poor else 0
        return self.narrow >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.narrow == 0


def _narrow(painted: Images | None, real: Images | None) -> bool:
    if painted is None or real is None or real.shape[1] != 3 or painted.shape[1] != 3:
        return False
    usual = spread_of_tints(real)
    return usual >= COLOURLESS and spread_of_tints(painted) < LEAST * usual

"""A painter that uses few of the colours there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.maths.tints import spread_of_tints
from danqing.training.alarm import Cure, Lasting, View

LEAST = 0.5  # spread of the painted tints against that of the real ones
COLOURLESS = 0.02  # spread of real tints below which there is nothing to narrow


@dataclass
class ColoursNarrow(Lasting):
    """Compares how far tints are spread in the painted pictures with how far they are in the real ones.

    A Fréchet distance on features of a classifier hardly sees it.
    """

    words: ClassVar[str] = "the painted pictures use far fewer colours than the real ones"
    remedy: ClassVar[str] = "Raise --gamma, lower --lr; a critic on pixels sees colours, one on features alone does not"
    cure: ClassVar[Cure] = Cure(rate=0.7, gamma=2.0)
    begins_at: ClassVar[int] = 20_000  # young painters are pale

    def amiss(self, view: View) -> bool:
        painted, real = view.pictures, view.originals
        if painted is None or real is None or real.shape[1] != 3 or painted.shape[1] != 3:
            return False
        usual = spread_of_tints(real)
        return usual >= COLOURLESS and spread_of_tints(painted) < LEAST * usual

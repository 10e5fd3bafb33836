"""Numbers that break."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, Moment


@dataclass
class NonFinite(Alarm):
    """Watches the losses of every step, and weights and optimisers where a look is due."""

    goes_back: ClassVar[bool] = True
    cure: ClassVar[Cure] = Cure(rate=0.5)
    words: ClassVar[str] = "the numbers broke (infinite or not a number)"
    remedy: ClassVar[str] = "If it repeats, lower --lr, use --clip 1, or train with --precision fp32"

    def watch(self, moment: Moment) -> bool:
        return bool(moment.broken) or not all(map(math.isfinite, moment.losses.values()))

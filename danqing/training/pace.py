"""How much of a run's budget is used, and how many looks are due by now: the same in every process."""

from __future__ import annotations

import math
from typing import Any

from danqing.core.fields.budget import Budget, Spent
from danqing.training.options import Options
from danqing.training.state import Position


class Pace:
    """What a run may spend, and how often it is looked at.

    Args:
        options: of the run.
        fabric: Lightning Fabric; the first process's clock counts.
    """

    def __init__(self, options: Options, fabric: Any) -> None:
        self.budget = Budget.parse(options.budget)
        self._every, self._fabric = Budget.parse(options.every, of=self.budget), fabric

    def share(self, position: Position, pictures: float) -> float:
        """How much of the budget is used where a run of so many pictures is."""
        share = _used(self.budget, position, pictures)
        timed = self.budget.currency == "seconds" and self._fabric.world_size > 1
        return float(self._fabric.broadcast(share)) if timed else share

    def looks(self, position: Position, pictures: float) -> int:
        """How many looks are due by now."""
        looks = math.floor(_used(self._every, position, pictures) + 1e-9)
        return int(self._fabric.broadcast(looks)) if self._fabric.world_size > 1 else looks


def _used(budget: Budget, position: Position, pictures: float) -> float:
    seen = position.seen + position.lost
    return budget.share(Spent(position.seconds, seen, seen / pictures))


__all__ = ["Pace"]

"""How much of a run's budget is used, and how many looks are due by now: the same in every process."""

from __future__ import annotations

import math
from typing import Any

from danqing.core.fields.budget import Budget, Spent
from danqing.training.options import Options
from danqing.training.state import Position

BETWEEN = 4.0  # times as long as a look takes is learned between two: looks take a fifth of a time at most


class Pace:
    """What a run may spend, and how often it is looked at.

    Looks that are due at shares of a time are further apart where they would take most of it, as those of a flow do,
    which paints in many steps. Those that are due at times, pictures or epochs that a person gave come when they are.

    Args:
        options: of the run.
        fabric: Lightning Fabric; the first process's clock counts.
    """

    def __init__(self, options: Options, fabric: Any) -> None:
        self.budget = Budget.parse(options.budget)
        self._every, self._fabric = Budget.parse(options.every, of=self.budget), fabric
        self._may_wait = self.budget.currency == "seconds" and options.every.strip().endswith("%")
        self._rests_until = 0.0

    def share(self, position: Position, pictures: float) -> float:
        """How much of the budget is used where a run of so many pictures is."""
        share = _used(self.budget, position, pictures)
        timed = self.budget.currency == "seconds" and self._fabric.world_size > 1
        return float(self._fabric.broadcast(share)) if timed else share

    def looks(self, position: Position, pictures: float) -> int:
        """How many looks are due by now."""
        looks = math.floor(_used(self._every, position, pictures) + 1e-9)
        return int(self._fabric.broadcast(looks)) if self._fabric.world_size > 1 else looks

    def looked(self, at: float, took: float) -> None:
        """Note that a look has ended so many seconds into the run, and how many it took."""
        self._rests_until = at + took * BETWEEN if self._may_wait else 0.0

    def rests(self, position: Position) -> bool:
        """Whether it is too early for another look, due or not."""
        early = position.seconds < self._rests_until
        return bool(self._fabric.broadcast(early)) if self._may_wait and self._fabric.world_size > 1 else early


def spent_by(position: Position, pictures: float) -> Spent:
    """What a run of so many pictures has used where it is; what was taken back counts."""
    seen = position.seen + position.lost
    return Spent(position.seconds, seen, seen / pictures)


def _used(budget: Budget, position: Position, pictures: float) -> float:
    return budget.share(spent_by(position, pictures))


__all__ = ["BETWEEN", "Pace", "spent_by"]

"""Where orders are filled: in this process, unless a place is given that does it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from danqing.core.progress import Job
from danqing.core.runs.order import Order, Outcome


class Place(Protocol):
    """What :func:`danqing.core.runs.run.run` asks of a place; :class:`danqing.core.runs.cluster.Cluster` is one."""

    @property
    def width(self) -> int:
        """How many orders are filled at a time."""

    def fill(self, orders: Sequence[Order], is_one: bool) -> Job[list[Outcome]]:
        """Fill orders as this process would: the same files, skipped where they are there, failures told one by one.

        Args:
            orders: what is to be done.
            is_one: whether one thing was asked for, so that what was made is given back with its outcome.
        """


__all__ = ["Place"]

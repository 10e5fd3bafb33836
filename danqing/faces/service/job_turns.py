"""Whose job begins next: those that wait, fair between clients."""

from __future__ import annotations

from danqing.faces.service.index import Row


class Turns:
    """The rows of jobs that wait; whoever uses it holds the lock of the queue."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._last: dict[str, int] = {}  # when each client's last job began
        self._turn = 0

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, row: Row) -> None:
        """Let a job wait."""
        self.rows.append(row)

    def leave(self, name: str) -> None:
        """Let a job wait no longer, though it has not begun."""
        self.rows = [row for row in self.rows if row[0] != name]

    def begun(self, row: Row) -> None:
        """Note that a job that waited has begun: its client had a turn."""
        self.rows.remove(row)
        self._turn += 1
        self._last[row[4]] = self._turn

    def order(self) -> list[Row]:
        """Those that wait, as they will begin: the client that was served longest ago comes first."""
        left, turns, turn, order = list(self.rows), dict(self._last), self._turn, []
        while left:
            row = min(left, key=lambda row: (turns.get(row[4], 0), row[1]))
            left.remove(row)
            turn += 1
            turns[row[4]] = turn
            order.append(row)
        return order


__all__ = ["Turns"]

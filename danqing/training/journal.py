"""What a run writes down as it goes: lines of figures and events, their curves, TensorBoard."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from danqing.core.errors import UserError
from danqing.training import record
from danqing.training.curves import draw_curves
from danqing.training.record import RunFolder
from danqing.training.state import Position

LINE_STEPS = 25  # steps, not seconds: two runs of one seed write the same figures
CURVES_SECONDS = 30.0


class Journal:
    """The log of a run and what is drawn from it; silent in all processes but the first, which has the folder.

    Args:
        folder: where to write; None: nothing is written.
        tensorboard: whether to write for TensorBoard, too.

    Raises:
        UserError: if TensorBoard is wanted and not installed.
    """

    def __init__(self, folder: RunFolder | None, tensorboard: bool) -> None:
        self.folder = folder
        self.board = _board(folder.path) if tensorboard and folder is not None else None
        self.last: dict[str, float] = {}
        self.drawn = time.perf_counter()
        self.count_from(Position())

    def open(self, position: Position) -> None:
        """Cut the log back to where a checkpoint left it, and go on from there."""
        if self.folder is not None:
            self.folder.open_log(position.log_bytes)
        self.count_from(position)

    def count_from(self, position: Position) -> None:
        """Forget what was counted for the next line."""
        self.step, self.began = position.step, position.seconds
        self.sums: dict[str, dict[str, float]] = {"losses": {}, "readings": {}}

    def add(self, losses: dict[str, float], readings: dict[str, float]) -> None:
        """Count a step."""
        self.last = losses
        for group, values in (("losses", losses), ("readings", readings)):
            for name, value in values.items():
                self.sums[group][name] = self.sums[group].get(name, 0.0) + value

    def line(self, position: Position, **more: Any) -> None:
        """Write the means of the steps since the last such line, if there were any, and what else there is."""
        steps = position.step - self.step
        if steps:
            means = {group: {name: value / steps for name, value in sums.items()} for group, sums in self.sums.items()}
            speed = round(steps / max(1e-9, position.seconds - self.began), 3)
            more = {**means, "steps_per_second": speed, **more}
            self.count_from(position)
        self.write(position, more)

    def write(self, position: Position, entry: dict[str, Any]) -> None:
        """Write a line."""
        if self.folder is None:
            return
        head = {"step": position.step, "seen": position.seen, "seconds": round(position.seconds, 3)}
        self.folder.log({**head, **entry})
        if self.board is not None:
            for group in ("losses", "readings", "scores"):
                for name, value in entry.get(group, {}).items():
                    self.board.add_scalar(f"{group}/{name}", value, position.seen)

    def length(self) -> int:
        """How long the log is, in bytes."""
        return self.folder.log_bytes() if self.folder is not None else 0

    def draw(self, last: bool = False) -> None:
        """Draw the curves of the log, unless that was just done, or the run has only begun."""
        if self.folder is not None and (last or time.perf_counter() - self.drawn > CURVES_SECONDS):
            draw_curves(self.folder.path / record.LOG, self.folder.path / record.CURVES)
            self.drawn = time.perf_counter()


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UserError("needs the package tensorboard", where="tensorboard") from error
    return SummaryWriter(folder / "tensorboard")

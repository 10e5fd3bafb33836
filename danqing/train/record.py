"""The run folder: config, log, grids, curves, models and their card; one run at a time writes into it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock, Timeout

from danqing.core.disk import replacing
from danqing.core.errors import OutputError
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write

CONFIG, LOG, CURVES, MODEL, BEST = "config.json", "log.jsonl", "curves.png", "model.safetensors", "best.safetensors"
PARTS = (CONFIG, LOG, CURVES, MODEL, BEST, "card.json", "skipped.json", "grids", "checkpoints", "tensorboard")


class RunFolder:
    """A run's folder, locked while the run lasts.

    Args:
        path: where; made if it is not there.
        resume: whether to go on with the run in it.
        force: whether to replace a run that is in it.

    Raises:
        OutputError: if it cannot be written, another run is writing, or it holds a run and neither is asked for.
    """

    def __init__(self, path: Path, *, resume: bool = False, force: bool = False) -> None:
        self.path = path
        try:
            (path / "checkpoints").mkdir(parents=True, exist_ok=True)
            (path / "grids").mkdir(exist_ok=True)
            self._lock = FileLock(path / ".lock")
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise OutputError("another run is writing here", where=path, remedy="Choose another --out") from error
        except OSError as error:
            raise OutputError(f"cannot be written ({error.strerror})", where=path) from error
        if (path / CONFIG).exists() and not resume:
            if not force:
                raise OutputError("holds a run", where=path, remedy="Go on with --resume, or choose another --out")
            self._clear()
        self._log: TextIO | None = None

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints go."""
        return self.path / "checkpoints"

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file, whole or not at all."""
        with replacing(self.path / name) as temporary:
            temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")

    def open_log(self, position: int) -> None:
        """Open the log for appending, cut back to where a checkpoint left it."""
        file = self.path / LOG
        file.touch()
        os.truncate(file, min(position, file.stat().st_size))
        self._log = file.open("a", encoding="utf-8")

    def log(self, entry: dict[str, Any]) -> None:
        """Add a line to the log."""
        assert self._log is not None
        self._log.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._log.flush()

    def log_bytes(self) -> int:
        """How long the log is."""
        return (self.path / LOG).stat().st_size

    def grid(self, step: int, pictures: Images, columns: int) -> Path:
        """Write a grid of pictures."""
        return write(contact_sheet(pictures, columns), self.path / "grids" / f"{step:09}.png", force=True)

    def close(self) -> None:
        """Let another run in."""
        if self._log is not None:
            self._log.close()
        self._lock.release()

    def _clear(self) -> None:
        for name in PARTS:
            part = self.path / name
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        (self.path / "checkpoints").mkdir()
        (self.path / "grids").mkdir()


def read_log(file: str | Path) -> Iterator[dict[str, Any]]:
    """Read the entries of a log; a line cut short by a crash is left out."""
    for line in Path(file).read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def free_folder(family: str) -> Path:
    """The first of runs/FAMILY-001, -002 … that is not there yet."""
    number = 1
    while (path := Path("runs") / f"{family}-{number:03}").exists():
        number += 1
    return path

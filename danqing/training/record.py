"""The run folder: config, log, grids, curves, models and their card; one run at a time writes into it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock, Timeout

from danqing.core.disk import replacing
from danqing.core.errors import OutputError
from danqing.core.json_text import json_text
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write

CONFIG, LOG, CURVES, MODEL, BEST = "config.json", "log.jsonl", "curves.png", "model.safetensors", "best.safetensors"
REPORT, FILM, NEIGHBOURS, SCORES = "report.html", "film.webp", "neighbours.png", "scores.json"
GIVEN, WANTED = "given.png", "wanted.png"  # what a grid was painted from, and what it was to become
CHECKPOINTS, GRIDS, LOCK = "checkpoints", "grids", ".lock"
TRIALS, CHOSEN = "trials", "auto.json"  # short runs by which settings were chosen, and what they scored
WHOLE = "whole.json"  # what a run is to be while a part of its model learns; gone when it begins
PARTS = (
    CONFIG, LOG, CURVES, MODEL, BEST, "card.json", "check.json", "skipped.json", REPORT, FILM, NEIGHBOURS, SCORES,
    GIVEN, WANTED, GRIDS, CHECKPOINTS, "tensorboard", TRIALS, CHOSEN,
    WHOLE,
)  # fmt: skip
NEW, OLD = ".danqing-new", ".danqing-old"  # folders in which one run takes the place of another
TRYING = ".danqing-trials"  # the short runs while nothing is chosen yet: a run that is there stays as it is


class RunFolder:
    """A run's folder, locked while the run lasts. Until it is claimed, closing it leaves everything as it was.

    Args:
        path: where; made if it is not there.
        resume: whether to go on with the run in it.
        force: whether to replace a run that is in it.

    Raises:
        OutputError: if it cannot be written, another run is writing, it holds a run and neither is asked for, or it is
            to be replaced and is none.
    """

    def __init__(self, path: Path, *, resume: bool = False, force: bool = False) -> None:
        self.path = path
        self.claimed = False
        self._log: TextIO | None = None
        self._made = [each for each in (path, *path.parents) if not each.exists()]
        self._lock_was_there = (path / LOCK).exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(path / LOCK, thread_local=False)
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise OutputError("another run is writing here", where=path, remedy="Choose another --out") from error
        except OSError as error:
            self._leave_no_trace()
            raise OutputError(f"cannot be written ({error.strerror})", where=path) from error
        _settle(path)
        if not resume and not force and holds_run(path):
            self.close()
            remedy = "Go on with --resume, choose another --out, or give --force"
            raise OutputError("holds a run", where=path, remedy=remedy)
        if not resume and holds_run(path) and not _is_run(path):
            self.close()
            remedy = "Choose another --out, or move it away: --force replaces runs only"
            raise OutputError("holds what is no run of danqing's", where=path, remedy=remedy)

    def begin(self, *writers: Callable[[Path], None]) -> None:
        """Put a new run in the place of what is there: ``writers`` make its first files in a folder that takes it.

        Until they are written whole, a run that is replaced stays as it was.
        """
        fresh = self.path / NEW
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            (fresh / CHECKPOINTS).mkdir(parents=True)
            (fresh / GRIDS).mkdir()
            for each in writers:
                each(fresh)
            _swap(self.path)
        except OSError as error:
            raise OutputError(f"cannot be written ({error.strerror})", where=self.path) from error
        finally:
            _settle(self.path)
        self.claimed = True

    def go_on(self) -> None:
        """Claim the folder for going on with the run in it."""
        for name in (CHECKPOINTS, GRIDS):
            (self.path / name).mkdir(exist_ok=True)
        self.claimed = True

    def open_log(self, position: int) -> None:
        """Open the log for appending, cut back to where a checkpoint left it."""
        file = self.path / LOG
        file.touch()
        os.truncate(file, min(position, file.stat().st_size))
        self._log = file.open("a", encoding="utf-8")

    def log(self, entry: dict[str, Any]) -> None:
        """Add a line to the log."""
        assert self._log is not None
        self._log.write(json_text(entry) + "\n")
        self._log.flush()

    def log_bytes(self) -> int:
        """How long the log is."""
        return (self.path / LOG).stat().st_size

    def grid(self, step: int, pictures: Images, columns: int) -> Path:
        """Write a grid of pictures."""
        return write(contact_sheet(pictures, columns), self.path / GRIDS / f"{step:09}.png", force=True)

    def forget_after(self, step: int) -> None:
        """Remove the grids of steps that were taken back, or that no checkpoint knows."""
        for file in (self.path / GRIDS).glob("*.png"):
            if int(file.stem) > step:
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another run in."""
        if self._log is not None:
            self._log.close()
        if self.claimed or self._lock_was_there:
            self._lock.release()
        else:
            (self.path / LOCK).unlink(missing_ok=True)  # while it is held: who waits for it finds it gone
            self._lock.release()
            self._leave_no_trace()

    def _leave_no_trace(self) -> None:
        """Remove the folders that were made for a run that is not to be."""
        for folder in self._made:
            with suppress(OSError):  # never made, or somebody put something there
                folder.rmdir()


def write_json(file: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    with replacing(file) as temporary:
        temporary.write_text(json_text(value, indent=2, sort_keys=True) + "\n", "utf-8")


def holds_run(path: Path) -> bool:
    """Whether anything of a run is there."""
    found = [path / name for name in PARTS if (path / name).exists()]
    return any(not part.is_dir() or any(part.iterdir()) for part in found)


def _is_run(path: Path) -> bool:
    """Whether what is there is a run of danqing's, and no other program's that calls its files alike."""
    try:
        file = next(each for each in (path / WHOLE, path / CONFIG) if each.is_file())
        found = json.loads(file.read_text("utf-8"))
    except (StopIteration, OSError, ValueError, RecursionError):
        return False
    if isinstance(found, dict):
        found = found.get("run", found)
    return isinstance(found, dict) and {"family", "data", "budget"} <= found.keys()


def _swap(path: Path) -> None:
    """Move what is there aside and the new run in; its config, which makes it a run, goes first and comes last."""
    (path / OLD).mkdir()
    for name in PARTS:
        if (path / name).exists():
            (path / name).rename(path / OLD / name)
    for name in reversed(PARTS):
        if (path / NEW / name).exists():
            (path / NEW / name).rename(path / name)


def _settle(path: Path) -> None:
    """Bring a replacement to its end, whenever it was interrupted: the new run, if it is all there, or else the old."""
    old, new = path / OLD, path / NEW
    if old.exists() and ((new / CONFIG).exists() or not (path / CONFIG).exists()):
        for name in PARTS:
            if (old / name).exists():
                _remove(path / name)
                (old / name).rename(path / name)
    _remove(old)
    _remove(new)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)


def read_log(file: str | Path) -> Iterator[dict[str, Any]]:
    """Read the entries of a log; a line cut short by a crash is left out."""
    for line in Path(file).read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def standing(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the entries of steps that were taken back; that they were is still told."""
    kept: list[dict[str, Any]] = []
    for entry in entries:
        if "back_to" in entry:
            kept = [each for each in kept if each["step"] <= entry["back_to"]]
        kept.append(entry)
    return kept


def free_folder(family: str) -> Path:
    """The first of runs/FAMILY-001, -002 … that is not there yet."""
    number = 1
    while (path := Path("runs") / f"{family}-{number:03}").exists():
        number += 1
    return path

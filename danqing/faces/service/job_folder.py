"""A job as it lies on the disk: what was asked for, what has happened, and how it ended; server and worker share it.

``job.json`` never changes. ``state.json`` is the server's, all else the worker's: ``progress.json``, ``preview.png``,
``events.jsonl`` (both add lines), and last ``end.json``, which is there, whole, when the job has ended by itself.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from danqing.core.json_text import json_text
from danqing.faces.service.cards import facts_in, keep_facts
from danqing.faces.service.problems import Problem

FORMAT = 1
ENDED = ("done", "failed", "cancelled")
ACTIVE = ("running", "stopping")
STATES = ("queued", *ACTIVE, "paused", *ENDED)
WORKER_IS_THERE = 75  # the exit code of a worker that finds another at work


@dataclass(frozen=True)
class JobFolder:
    """The folder of one job."""

    folder: Path

    @property
    def id(self) -> str:
        """Of the job."""
        return self.folder.name

    @property
    def run(self) -> Path:
        """Where a training keeps its run."""
        return self.folder / "run"

    @property
    def preview(self) -> Path:
        """The last preview."""
        return self.folder / "preview.png"

    def asked(self) -> dict[str, Any]:
        """What was asked for; empty where there is no such job, and little more than its number if that is damaged."""
        try:
            return facts_in(self.folder / "job.json")
        except ValueError:
            number = self.id.partition("-")[0]
            return {"number": int(number) if number.isdecimal() else 0, "task": "", "title": "", "values": {}}

    def ask(self, facts: dict[str, Any]) -> None:
        """Write down what is asked for."""
        keep_facts(self.folder / "job.json", {"format": FORMAT, **facts})

    def state(self) -> dict[str, Any]:
        """What the server says of it."""
        try:
            return {"state": "queued", "attempts": 0, **facts_in(self.folder / "state.json")}
        except ValueError:
            return {"attempts": 1, **self._guessed()}

    def set_state(self, **facts: Any) -> dict[str, Any]:
        """Change what the server says of it."""
        state = {**self.state(), **facts}
        keep_facts(self.folder / "state.json", state)
        return state

    def progress(self) -> dict[str, Any]:
        """The last that the worker said."""
        return self._said("progress.json")

    def set_progress(self, facts: dict[str, Any]) -> None:
        """Say how far it is; often, and so without waiting for the disk."""
        temporary = self.folder / ".progress.json"
        temporary.write_text(json.dumps(facts), "utf-8")
        temporary.replace(self.folder / "progress.json")

    def end(self) -> dict[str, Any]:
        """How it ended: ``result``, ``error`` or ``stopped``; empty while it has not."""
        return self._said("end.json")

    def set_end(self, **facts: Any) -> None:
        """Say how it ended."""
        keep_facts(self.folder / "end.json", facts)

    def forget_end(self) -> None:
        """It begins, or goes on, once more."""
        (self.folder / "end.json").unlink(missing_ok=True)

    def event(self, kind: str, data: Any) -> None:
        """Add a line to what has happened; the place where it ends is its id."""
        line = json_text({"event": kind, "data": data}, default=str) + "\n"
        with open(self.folder / "events.jsonl", "ab") as stream:
            stream.write(line.encode())

    def events(self, after: int = 0) -> Iterator[tuple[int, str, Any]]:
        """What has happened after an id: id, kind and data."""
        with suppress(FileNotFoundError), open(self.folder / "events.jsonl", "rb") as stream:
            stream.seek(min(max(after, 0), os.fstat(stream.fileno()).st_size))
            for line in stream:
                if not line.endswith(b"\n"):
                    return  # being written
                after += len(line)
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    yield after, entry["event"], entry["data"]

    def lock(self) -> FileLock:
        """What a worker holds as long as it lives, however it dies."""
        return FileLock(self.folder / "alive", thread_local=False)

    def is_alive(self) -> bool:
        """Whether a worker is at work."""
        lock = self.lock()
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return True
        lock.release()
        return False

    def worker(self) -> int | None:
        """The process of the worker that lives."""
        with suppress(OSError, ValueError):
            return int((self.folder / "worker.pid").read_text("utf-8"))
        return None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the worker, and what it started, if it lives."""
        process = self.worker()
        if process is not None and self.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process, number)

    def _guessed(self) -> dict[str, Any]:
        """The state of a job of which the server's own word is damaged: it never begins again by itself."""
        if self.is_alive():
            return {"state": "running"}
        if "result" in self.end():
            return {"state": "done"}
        remedy = "Let it go on, or ask for it anew"
        return {
            "state": "failed",
            "error": Problem("internal", "what was known of this job is damaged", "", remedy).kept(),
        }

    def _said(self, name: str) -> dict[str, Any]:
        """What the worker wrote; what is damaged says nothing."""
        try:
            return facts_in(self.folder / name)
        except ValueError:
            return {}


def now() -> str:
    """The time as it is told."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


__all__ = ["ACTIVE", "ENDED", "FORMAT", "STATES", "WORKER_IS_THERE", "JobFolder", "now"]

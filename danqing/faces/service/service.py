"""All parts of a running service, and the folder that it keeps its things in."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from danqing.core.errors import DanqingError, OutputError
from danqing.faces.service import catalogue
from danqing.faces.service.cards import Cards, facts_in, keep_facts
from danqing.faces.service.catalogue import known_task
from danqing.faces.service.display import Display
from danqing.faces.service.engine import Engine
from danqing.faces.service.gallery import GALLERY, Gallery
from danqing.faces.service.index import Index
from danqing.faces.service.job_folder import ENDED, JobFolder
from danqing.faces.service.job_list import rows_in
from danqing.faces.service.job_queue import Queue
from danqing.faces.service.meters import Meters
from danqing.faces.service.models import Models
from danqing.faces.service.scrub import Scrub
from danqing.faces.service.sets import CHECK, Sets
from danqing.faces.service.settings import Settings
from danqing.faces.service.shelf import Shelf

FORMAT = 1  # of the folder; a service refuses a newer one
REMEMBERED = 7 * 86400  # seconds for which work that was done is found again
CHANGES = 1000  # of jobs that are remembered for those who listen


class Service:
    """A running service.

    Args:
        settings: how it is run.
        log: what it tells its operator with.

    Raises:
        OutputError: if another service works in the folder, it cannot be written, or it is of a newer danqing.
    """

    def __init__(self, settings: Settings, log: Any) -> None:
        self.settings, self.log = settings, log
        self.folder = settings.folder.absolute()
        self.warnings: list[str] = []
        self._lock = _claimed(self.folder)
        shutil.rmtree(self.incoming, ignore_errors=True)
        _forget_old_work(self.folder / "store" / "work")
        self.incoming.mkdir(parents=True, exist_ok=True)
        sets = {name: place.absolute() for name, place in settings.sets().items()}
        self.shelf = Shelf(self.folder / "store", sets)
        self.scrub = Scrub([self.folder, *settings.pictures], sets.values())
        self.meters = Meters()
        self.engine = Engine(self.shelf, settings.limits, self.scrub, max(2, os.cpu_count() or 1))
        self.display = Display(settings.limits.pixels)
        self.models = Models(self._cards("models"), self.shelf)
        self.sets = Sets(self._cards("datasets"), self.shelf)
        self.gallery = Gallery(self._cards(GALLERY), self.shelf)
        self.starts = self._cards("")
        shelves = {"jobs": lambda: rows_in(self.folder / "jobs"), GALLERY: self.gallery.rows}
        self.index = self.gallery.index = Index(self.folder / "index.sqlite", shelves, self._damaged)
        grace = {"cancel": settings.cancel_grace, "pause": settings.pause_grace}
        self.changes: deque[tuple[int, str]] = deque(maxlen=CHANGES)
        self._changed = 0
        most = settings.limits.jobs_queued
        self.jobs = Queue(
            self.folder / "jobs",
            self.index,
            grace,
            most,
            self._ended,
            self._note_change,
            self._jobs_failed,
            settings.on,
        )
        self.ready = threading.Event()
        self._meter()

    @property
    def incoming(self) -> Path:
        """Where uploads lie until they are whole."""
        return self.folder / "incoming"

    def open(self) -> None:
        """Take up the jobs that are there, and load the tasks beside that."""
        self.jobs.start()
        threading.Thread(target=self._load, name="danqing-load", daemon=True).start()

    def close(self) -> None:
        """Stop the workers where they can go on, and let go of the folder."""
        self.jobs.close()
        self.engine.close()
        self.index.close()
        self._lock.release()

    def _load(self) -> None:
        for name in catalogue.offered():
            catalogue.told(name)
        self.ready.set()
        self.log.info("ready", tasks=len(catalogue.offered()))

    def _damaged(self, name: str, why: str) -> None:
        self.warnings.append(f"the index was damaged and is kept as {name}; it was made anew")
        self.log.error("index was damaged", kept_as=name, why=why)

    def _cards(self, name: str) -> Cards:
        return Cards(self.folder / name, self._set_aside)

    def _set_aside(self, name: str, why: str) -> None:
        self.warnings.append(f"a file was damaged and is kept as {name}")
        self.log.error("a file was damaged", kept_as=name, why=why)

    def _jobs_failed(self, error: Exception) -> None:
        self.log.error("jobs cannot go on", why=str(error))

    def _note_change(self, job: JobFolder) -> None:
        self._changed += 1
        self.changes.append((self._changed, job.id))

    def _ended(self, job: JobFolder, state: str) -> None:
        """Take over what a job has made."""
        if state in ENDED:
            self.meters.jobs.labels(state).inc()
        try:
            self._take_over(job, state)
        except (DanqingError, OSError, ValueError) as error:
            self.log.error("a result could not be taken over", job=job.id, why=str(error))

    def _take_over(self, job: JobFolder, state: str) -> None:
        asked, result = job.asked(), job.end().get("result")
        name = str(asked.get("task", ""))
        task = known_task(name)
        if task is not None and task.trains:
            best = next(
                (job.run / n for n in ("model.safetensors", "best.safetensors") if (job.run / n).is_file()), None
            )
            if best is not None and state != "queued":
                with suppress(DanqingError):
                    title = str(asked.get("title") or name).replace(" · ", " ")
                    model = self.models.add(best, f"{title}.safetensors", "trained", job.id)
                    job.set_state(model=model)
        if state != "done" or not isinstance(result, dict):
            return
        if name == CHECK and (looked_at := asked.get("values", {}).get("pictures")):
            self.sets.note(looked_at, report=result.get("numbers"))
        elif result.get("files"):
            self.gallery.add(
                {
                    "task": name,
                    "title": asked.get("title") or result["files"][0]["name"],
                    "files": [each["id"] for each in result["files"]],
                    "numbers": result.get("numbers"),
                    "steps": asked.get("steps") or [{"task": name, "values": asked.get("values", {})}],
                    "picture": None,
                    "job": job.id,
                },
                job.id,
            )

    def _meter(self) -> None:
        gauge = self.meters.gauge
        gauge("waiting", "Requests in work or waiting", lambda: self.engine.waiting)
        gauge("jobs_waiting", "Jobs that wait", lambda: self.jobs.waiting)
        gauge("jobs_working", "Jobs in work", lambda: self.jobs.working)
        gauge("painted_chunks", "Chunks of pictures painted", lambda: self.engine.together.chunks)
        gauge("painted_wishes", "Requests whose pictures these were", lambda: self.engine.together.wishes)


def _claimed(folder: Path) -> FileLock:
    """The folder of a service, locked; its format is checked.

    Raises:
        OutputError: if it cannot be had.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", thread_local=False)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise OutputError(
            "another service works in this folder", where=folder, remedy="Stop it, or take another"
        ) from error
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", where=folder) from error
    try:
        _check_format(folder)
    except BaseException:
        lock.release()
        raise
    return lock


def _forget_old_work(folder: Path) -> None:
    """Forget how results were worked out long ago; the results themselves are kept as content."""
    for place in folder.iterdir() if folder.is_dir() else ():
        if place.stat().st_mtime < time.time() - REMEMBERED:
            shutil.rmtree(place, ignore_errors=True)


def _check_format(folder: Path) -> None:
    file = folder / "service.json"
    try:
        known = facts_in(file).get("format")
    except ValueError as error:
        what, remedy = f"is damaged ({error})", "Remove it, unless a newer danqing worked in this folder"
        raise OutputError(what, where=file, remedy=remedy) from error
    except OSError as error:
        raise OutputError(f"cannot be read ({error.strerror})", where=file) from error
    if isinstance(known, int) and known > FORMAT:
        what = f"is the folder of a newer danqing, in format {known}; this one knows {FORMAT}"
        raise OutputError(what, where=folder, remedy="Update danqing, or take another folder")
    if known != FORMAT:
        keep_facts(file, {"format": FORMAT})


__all__ = ["FORMAT", "Service"]

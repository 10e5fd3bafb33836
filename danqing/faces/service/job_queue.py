"""Jobs one after the other, each in a process of its own; fair between clients, and taken up again after any end."""

from __future__ import annotations

import math
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from danqing.core.errors import DanqingError
from danqing.faces.service.index import Index, Row
from danqing.faces.service.job_folder import ENDED, JobFolder, now
from danqing.faces.service.job_states import become, can, job_told
from danqing.faces.service.job_turns import Turns
from danqing.faces.service.job_workers import Workers
from danqing.faces.service.problems import Problem, not_found

ACTIVE = ("running", "stopping")
TICK = 0.05  # seconds between looks at workers
SHUTDOWN = 15.0  # seconds that workers have when the service ends
SHELF = "jobs"
ID = re.compile(r"[0-9]{6,18}-[0-9a-f]{8}")


class Queue:
    """The jobs of a service.

    Args:
        folder: of all jobs, a folder for each.
        index: in which they are listed.
        grace: seconds a job has to end by itself, by what was asked of it.
        most: how many may wait.
        ended: called with each job whose worker has ended, and its state.
        changed: called with each job whose state has changed.
        failed: told what goes wrong with the jobs as a whole, such as a full disk; it is tried again.
        on: where pictures are worked on; empty: in the process of the job.
    """

    def __init__(
        self,
        folder: Path,
        index: Index,
        grace: dict[str, float],
        most: int,
        ended: Callable[[JobFolder, str], None],
        changed: Callable[[JobFolder], None],
        failed: Callable[[Exception], None],
        on: str = "",
    ) -> None:
        self.folder, self._index, self._most = folder, index, most
        self._grace = {"shutdown": SHUTDOWN, **grace}
        self._ended, self._changed, self._failed = ended, changed, failed
        self._trouble = ""  # what went wrong at the last look
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._workers, self._queued = Workers(on), Turns()
        self._active: dict[str, float] = {}  # jobs with a worker, and when it is killed
        self._closing = False
        self._thread = threading.Thread(target=self._watch, name="danqing-jobs", daemon=True)

    def start(self) -> None:
        """Take up what is there: adopt workers that live, queue what was interrupted."""
        with self._lock:
            for row in reversed(self._index.rows(SHELF)):
                job = self.job(row[0])
                state = job.state()["state"]
                if state not in ENDED and (state in ACTIVE or job.is_alive()):
                    self._active[job.id] = math.inf  # those that do not live are settled below
                    if state not in ACTIVE:
                        self._set(job, state="running")
                elif state == "queued":
                    self._queued.append(row_of(job))
                else:
                    self._enter(job)
            self._tried(self._look)
        self._thread.start()

    def close(self) -> None:
        """Ask all workers to stop where they can go on later, and wait for them."""
        with self._lock:
            self._closing = True
            for name in list(self._active):
                self._tried(lambda name=name: self._ask(self.job(name), "shutdown"))  # type: ignore[misc]
        until = time.monotonic() + SHUTDOWN
        while self._active and time.monotonic() < until:
            with self._lock:
                self._tried(self._look)
            time.sleep(TICK)
        with self._wake:
            self._wake.notify_all()

    def submit(self, facts: dict[str, Any]) -> JobFolder:
        """Queue a job.

        Raises:
            Problem: if too many wait already.
        """
        with self._wake:
            if len(self._queued) >= self._most:
                headers = {"Retry-After": "30"}
                raise Problem("too-many", "too many jobs are waiting", remedy="Ask again later", headers=headers)
            number = self._index.next_number(SHELF)
            job = JobFolder(self.folder / f"{number:06}-{secrets.token_hex(4)}")
            job.folder.mkdir(parents=True)
            try:
                job.ask({**facts, "id": job.id, "number": number, "created": now()})
                self._set(job, state="queued")
            except BaseException:
                shutil.rmtree(job.folder, ignore_errors=True)
                raise
            self._queued.append(row_of(job))
            self._wake.notify_all()
            return job

    def job(self, name: str) -> JobFolder:
        """The job of an id.

        Raises:
            Problem: if there is none.
        """
        if not ID.fullmatch(name) or not JobFolder(self.folder / name).asked():
            raise not_found("job", name)
        return JobFolder(self.folder / name)

    def cancel(self, name: str) -> JobFolder:
        """End a job for good, within the grace."""
        return self._end(name, "cancel", "cancelled", ("queued", "running", "stopping", "paused"))

    def pause(self, name: str) -> JobFolder:
        """Stop a job so that it can go on."""
        return self._end(name, "pause", "paused", ("queued", "running"))

    def resume(self, name: str, changes: dict[str, Any]) -> JobFolder:
        """Let a job go on that was paused, or that ended before its end.

        Raises:
            Problem: if it did not.
        """
        with self._wake:
            job = self.job(name)
            if "resume" not in can(job.asked(), job.state()):
                raise Problem("conflict", "this job cannot go on", parameter=name)
            if changes:
                job.ask({**job.asked(), **changes})
            job.forget_end()
            self._set(job, state="queued", ended=None, wish=None, attempts=0, error=None)
            self._queued.append(row_of(job))
            self._wake.notify_all()
            return job

    def delete(self, name: str) -> None:
        """Forget a job that has ended.

        Raises:
            Problem: if it has not.
        """
        with self._lock:
            job = self.job(name)
            if "delete" not in can(job.asked(), job.state()):
                raise Problem("conflict", "this job has not ended", parameter=name, remedy="Cancel it first")
            self._index.drop(SHELF, name)
            shutil.rmtree(job.folder, ignore_errors=True)

    def told(self, job: JobFolder) -> dict[str, Any]:
        """A job as JSON values."""
        return job_told(job, self.position)

    def all(self, states: tuple[str, ...] = (), task: str = "", limit: int = 100) -> list[JobFolder]:
        """Jobs, the last one first."""
        rows = self._index.rows(SHELF, states=states, task=task, limit=limit)
        return [job for row in rows if (job := JobFolder(self.folder / row[0])).asked()]

    def position(self, name: str) -> int:
        """How many jobs come before one that waits."""
        with self._lock:
            return self._queued.position(name)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queued)

    @property
    def working(self) -> int:
        """How many jobs have a worker."""
        return len(self._active)

    def _watch(self) -> None:
        while True:
            with self._wake:
                if self._closing:
                    return
                went_well = self._tried(self._step)
                self._wake.wait(TICK if self._active and went_well else 1.0)

    def _step(self) -> None:
        """Look at the workers, and let the next job begin where there is none."""
        self._look()
        if self._queued and not self._active:
            self._begin(self._queued.order()[0])

    def _tried(self, work: Callable[[], None]) -> bool:
        """Do something that the disk may refuse; whether it went well. What went wrong is told once."""
        try:
            work()
        except (OSError, DanqingError) as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                self._failed(error)
            return False
        self._trouble = ""
        return True

    def _begin(self, row: Row) -> None:
        """Start the worker of a job; until that is done, or failed for good, the job waits."""
        job = JobFolder(self.folder / row[0])
        state = job.state()
        attempts = state["attempts"] + (state["state"] == "queued")  # else it was counted, and could not be begun
        self._set(job, state="running", started=state.get("started") or now(), attempts=attempts, wish=None)
        try:
            self._workers.begin(job)
            self._active[job.id] = math.inf
        except OSError as error:
            problem = Problem("disk-full" if error.errno == 28 else "internal", "the job could not be started")
            self._set(job, state="failed", ended=now(), error=problem.kept())
        self._queued.begun(row)

    def _look(self) -> None:
        """Look at each worker: has it ended, must it be killed?"""
        for name, until in list(self._active.items()):
            job = JobFolder(self.folder / name)
            if self._workers.lives(job):
                if time.monotonic() > until:
                    self._workers.kill(job)
                    self._active[name] = time.monotonic() + 1.0
                continue
            self._settle(job)
            del self._active[name]

    def _settle(self, job: JobFolder) -> None:
        """Say what has become of a job whose worker has ended."""
        facts = become(job)
        self._ended(job, facts["state"])  # first: of a job that is done, what it made is there
        self._set(job, **facts)
        if facts["state"] == "queued":
            job.forget_end()
            self._queued.append(row_of(job))
            self._wake.notify_all()

    def _end(self, name: str, wish: str, state: str, allowed: tuple[str, ...]) -> JobFolder:
        with self._wake:
            job = self.job(name)
            current = job.state()["state"]
            if current == state or (current == "stopping" and job.state().get("wish") == wish):
                return job  # twice asked is once asked
            if current not in allowed:
                raise Problem("conflict", f"this job is {current}", parameter=name)
            if name in self._active:
                self._ask(job, wish)
            else:
                self._queued.leave(name)
                self._set(job, state=state, ended=now() if state in ENDED else None)
                self._ended(job, state)
            self._wake.notify_all()
            return job

    def _ask(self, job: JobFolder, wish: str) -> None:
        """Ask a worker to stop, and remember when it has to have done so."""
        self._set(job, state="stopping", wish=wish)
        self._active[job.id] = time.monotonic() + self._grace[wish]
        self._workers.stop(job)

    def _set(self, job: JobFolder, **facts: Any) -> None:
        job.set_state(**facts)
        self._enter(job)
        told = self.told(job)
        job.event("state", told)
        self._changed(job)

    def _enter(self, job: JobFolder) -> None:
        self._index.put(SHELF, row_of(job))


def row_of(job: JobFolder) -> Row:
    """The line of a job in the index."""
    asked = job.asked()
    return (
        job.id,
        int(asked.get("number", 0)),
        str(asked.get("task", "")),
        job.state()["state"],
        str(asked.get("client", "")),
    )


def rows_in(folder: Path) -> Iterator[Row]:
    """The lines of all jobs in a folder."""
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if ID.fullmatch(place.name) and JobFolder(place).asked():
            yield row_of(JobFolder(place))


__all__ = ["ACTIVE", "Queue", "row_of", "rows_in"]

"""Jobs one after the other, each in a process of its own; fair between clients, and taken up again after any end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from danqing.core.errors import DanqingError
from danqing.faces.service.index import Index, Row
from danqing.faces.service.job_folder import ACTIVE, ENDED, JobFolder, now
from danqing.faces.service.job_list import JobList
from danqing.faces.service.job_states import become, can
from danqing.faces.service.job_workers import Workers
from danqing.faces.service.problems import Problem

TICK = 0.05  # seconds between looks at workers
SHUTDOWN = 15.0  # seconds that workers have when the service ends


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
        self.folder, self._most = folder, most
        self._jobs = JobList(folder, index, changed)
        self._grace = {"shutdown": SHUTDOWN, **grace}
        self._ended, self._failed = ended, failed
        self._trouble = ""  # what went wrong at the last look
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._workers = Workers(on)
        self._closing = False
        self._thread = threading.Thread(target=self._watch, name="danqing-jobs", daemon=True)

    def start(self) -> None:
        """Take up what is there: adopt workers that live, queue what was interrupted."""
        with self._lock:
            for job in reversed(self._jobs.all()):
                state = job.state()["state"]
                if state not in ENDED and (state in ACTIVE or job.is_alive()):
                    self._workers.adopt(job)  # those that do not live are settled below
                    if state not in ACTIVE:
                        self._jobs.set(job, state="running")
                elif state == "queued":
                    self._jobs.wait(job)
                else:
                    self._jobs.enter(job)
            self._tried(self._look)
        self._thread.start()

    def close(self) -> None:
        """Ask all workers to stop where they can go on later, and wait for them."""
        with self._lock:
            self._closing = True
            for name in list(self._workers.active):
                self._tried(lambda name=name: self._ask(self.job(name), "shutdown"))  # type: ignore[misc]
        until = time.monotonic() + SHUTDOWN
        while self._workers.active and time.monotonic() < until:
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
            if len(self._jobs.waiting) >= self._most:
                headers = {"Retry-After": "30"}
                raise Problem("too-many", "too many jobs are waiting", remedy="Ask again later", headers=headers)
            job = self._jobs.add(facts)
            self._wake.notify_all()
            return job

    def job(self, name: str) -> JobFolder:
        """The job of an id.

        Raises:
            Problem: if there is none.
        """
        return self._jobs.job(name)

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
            self._jobs.set(job, state="queued", ended=None, wish=None, attempts=0, error=None)
            self._jobs.wait(job)
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
            self._jobs.drop(job)

    def told(self, job: JobFolder) -> dict[str, Any]:
        """A job as JSON values."""
        return self._jobs.told(job)

    def all(self, states: tuple[str, ...] = (), task: str = "", limit: int = 100) -> list[JobFolder]:
        """Jobs, the last one first."""
        return self._jobs.all(states, task, limit)

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._jobs.waiting)

    @property
    def working(self) -> int:
        """How many jobs have a worker."""
        return len(self._workers.active)

    def _watch(self) -> None:
        while True:
            with self._wake:
                if self._closing:
                    return
                went_well = self._tried(self._step)
                self._wake.wait(TICK if self._workers.active and went_well else 1.0)

    def _step(self) -> None:
        """Look at the workers, and let the next job begin: one works, and beside it one only looks."""
        self._look()
        busy = {self._jobs.only_looks(name) for name in self._workers.active}
        free = (row for row in self._jobs.waiting.order() if self._jobs.only_looks(row[0]) not in busy)
        if row := next(free, None):
            self._begin(row)

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
        self._jobs.set(job, state="running", started=state.get("started") or now(), attempts=attempts, wish=None)
        try:
            self._workers.begin(job)
        except OSError as error:
            problem = Problem("disk-full" if error.errno == 28 else "internal", "the job could not be started")
            self._jobs.set(job, state="failed", ended=now(), error=problem.kept())
        self._jobs.waiting.begun(row)

    def _look(self) -> None:
        """Look at each worker: has it ended, must it be killed?"""
        for name in list(self._workers.active):
            job = JobFolder(self.folder / name)
            if self._workers.gone(job):
                self._settle(job)
                del self._workers.active[name]

    def _settle(self, job: JobFolder) -> None:
        """Say what has become of a job whose worker has ended."""
        facts = become(job)
        self._ended(job, facts["state"])  # first: of a job that is done, what it made is there
        self._jobs.set(job, **facts)
        if facts["state"] == "queued":
            job.forget_end()
            self._jobs.wait(job)
            self._wake.notify_all()

    def _end(self, name: str, wish: str, state: str, allowed: tuple[str, ...]) -> JobFolder:
        with self._wake:
            job = self.job(name)
            current = job.state()["state"]
            if current == state or (current == "stopping" and job.state().get("wish") == wish):
                return job  # twice asked is once asked
            if current not in allowed:
                raise Problem("conflict", f"this job is {current}", parameter=name)
            if name in self._workers.active:
                self._ask(job, wish)
            else:
                self._jobs.waiting.leave(name)
                self._jobs.set(job, state=state, ended=now() if state in ENDED else None)
                self._ended(job, state)
            self._wake.notify_all()
            return job

    def _ask(self, job: JobFolder, wish: str) -> None:
        """Ask a worker to stop; what was asked before stands when the service ends: who cancels means it for good."""
        if wish == "shutdown" and job.state().get("wish"):
            return
        self._jobs.set(job, state="stopping", wish=wish)
        self._workers.stop(job, self._grace[wish])


__all__ = ["Queue"]

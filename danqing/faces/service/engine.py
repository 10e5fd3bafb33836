"""Where light work is done: a few threads, a bounded queue before them, and a deadline for each request."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from danqing.core.errors import DanqingError, ParameterError
from danqing.core.learned.painting import PAINT
from danqing.core.operators.operator import Operator
from danqing.core.progress import Job, Progress, finish
from danqing.core.runs.order import Outcome
from danqing.core.runs.place import Place
from danqing.core.runs.run import Result, run
from danqing.faces.service.catalogue import AnyTask
from danqing.faces.service.painting import Together
from danqing.faces.service.problems import Problem, problem_of
from danqing.faces.service.saving import Kept
from danqing.faces.service.scrub import Scrub
from danqing.faces.service.sent_values import resolved
from danqing.faces.service.settings import Limits
from danqing.faces.service.shelf import Shelf

T = TypeVar("T")
PAINTERS = 32  # threads that wait for a place in a chunk
LOOK = 0.25  # seconds between looks whether the client is still there


class Stop:
    """Says to work that runs when it must end: its time is over, or nobody waits for it any more."""

    def __init__(self, seconds: float) -> None:
        self._until, self._seconds = time.monotonic() + seconds, seconds
        self._gone = threading.Event()
        self.tell: Callable[[Progress], None] | None = None

    def gone(self) -> None:
        """Nobody waits for it any more."""
        self._gone.set()

    def __call__(self, progress: Progress | None = None) -> None:
        """Raise if it must end.

        Raises:
            Problem: if it must.
        """
        if self._gone.is_set():
            raise Problem("gone", "the client went away")
        if time.monotonic() > self._until:
            what = f"took longer than {self._seconds:g} s"
            raise Problem("too-long", what, remedy="Ask for it as a job", headers={"Retry-After": "1"})
        if progress is not None and self.tell is not None:
            self.tell(progress)


class Engine:
    """Runs tasks in threads.

    Args:
        shelf: where pictures come from and results go.
        limits: what one request may ask for.
        scrub: takes places of this machine out of what is told.
        threads: how many pieces of work at once.
        place: where pictures are worked on; by default here.
    """

    def __init__(self, shelf: Shelf, limits: Limits, scrub: Scrub, threads: int, place: Place | None = None) -> None:
        self.shelf, self.limits, self.scrub, self.place = shelf, limits, scrub, place
        self.together = Together()
        self._pool = ThreadPoolExecutor(threads, "danqing-light", self._share)
        self._painters = ThreadPoolExecutor(PAINTERS, "danqing-paint", self._share)
        self._waiting, self._locks, self._lock = 0, {}, threading.Lock()  # type: ignore[var-annotated]

    def _share(self) -> None:
        """Let this thread paint together with the others."""
        PAINT.set(self.together)

    async def do(
        self, work: Callable[[Stop], T], gone: Callable[[], Awaitable[bool]] | None = None, *, paints: bool = False
    ) -> T:
        """Do something in a thread.

        Args:
            work: given what says when to stop.
            gone: whether the client went away.
            paints: whether most of it is painting, which one thread does while the others wait.

        Raises:
            Problem: if too many wait already.
        """
        if self._waiting >= self.limits.waiting:
            raise Problem("too-many", "too many requests are waiting", remedy="Ask again", headers={"Retry-After": "1"})
        self._waiting += 1
        stop = Stop(self.limits.seconds)
        pool = self._painters if paints else self._pool
        future = asyncio.get_running_loop().run_in_executor(pool, lambda: work(stop))
        try:
            while not future.done():
                await asyncio.wait([future], timeout=LOOK)
                if gone is not None and not future.done() and await gone():
                    stop.gone()
            return await future
        except asyncio.CancelledError:
            stop.gone()
            raise
        finally:
            self._waiting -= 1

    @property
    def waiting(self) -> int:
        """How many requests are in work or wait."""
        return self._waiting

    def close(self) -> None:
        """Take no more work."""
        for pool in (self._pool, self._painters):
            pool.shutdown(wait=False, cancel_futures=True)

    def run(self, name: str, task: AnyTask, values: Mapping[str, Any], saving: Kept, stop: Stop) -> dict[str, Any]:
        """Run a task to its end: its result as JSON values."""
        self.check(task, values)
        began = time.monotonic()
        with self._alone(json.dumps([name, dict(values), saving.told()], sort_keys=True, default=str)):
            stop()
            result = finish(self.job(task, values, saving), stop)
        return {**self.told(name, task, result, saving), "seconds": round(time.monotonic() - began, 4)}

    def job(self, task: AnyTask, values: Mapping[str, Any], saving: Kept) -> Job[Result]:
        """A task as a job on the shelf."""
        if isinstance(task, Operator):
            return run(task, values, self.shelf.blobs(saving.saving, saving.suffix(task)), self.place)
        return run(task, resolved(task, values, self.shelf.find))

    def check(self, task: AnyTask, values: Mapping[str, Any]) -> None:
        """Refuse what is more than one request may ask for.

        Raises:
            ParameterError: naming the parameter.
        """
        most = {"count": self.limits.count, task.subject: self.limits.batch}
        for name, limit in most.items():
            value = values.get(name)
            size = len(value) if isinstance(value, list) else value
            if isinstance(size, int) and size > limit:
                remedy = "Ask for it as a job" if name == "count" else ""
                raise ParameterError(f"one request may ask for {limit} at most", where=name, remedy=remedy)

    def told(self, name: str, task: AnyTask, result: Result, saving: Kept) -> dict[str, Any]:
        """A result as JSON values, its files kept on the shelf."""
        done = [each for each in result.outcomes if each.state != "failed"]
        blobs = self.shelf.blobs(saving.saving, saving.suffix(task) if isinstance(task, Operator) else "")
        files = [blob.sha256 for each in done for blob in blobs.kept(each)]
        files = sorted(dict.fromkeys(files), key=lambda each: self.shelf.file(each).suffix == ".json")  # pictures first
        numbers = [each.numbers for each in done]
        notes = dict.fromkeys([*result.notes, *(words for each in result.outcomes for words in each.notes)])
        several = len(result.outcomes) > 1
        told = {
            "task": name,
            "state": "skipped" if done and all(each.state == "skipped" for each in done) else "done",
            "files": [self.shelf.facts(each) for each in files],
            "numbers": numbers if several else numbers[0] if numbers else None,
            "lines": result.made.words() if result.made is not None else [],
            "sound": bool(getattr(result.made, "sound", True)),
            "notes": list(notes),
            "failed": [self._failed(each) for each in result.of("failed")],
        }
        scrubbed: dict[str, Any] = self.scrub(told)
        return scrubbed

    def _failed(self, outcome: Outcome) -> dict[str, Any]:
        problem = problem_of(outcome.error or DanqingError("failed"))
        return {"name": "" if outcome.source is None else outcome.source.name, "problem": problem.kept()}

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """Two who ask for the same work wait for one another; the second finds it done."""
        with self._lock:
            lock, users = self._locks.get(key, (threading.Lock(), 0))
            self._locks[key] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._locks[key]
                if users == 1:
                    del self._locks[key]
                else:
                    self._locks[key] = lock, users - 1


def pictures_of(result: Mapping[str, Any]) -> list[str]:
    """The ids of the pictures of a result."""
    return [each["id"] for each in result["files"] if "width" in each]


__all__ = ["Engine", "Stop", "pictures_of"]

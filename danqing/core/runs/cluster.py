"""A cluster as a place: orders are filled by workers of Ray, each a process with its own weights in memory.

A worker writes what it makes straight into the files of the order, as is done without Ray: only names and small values
travel. So every machine must see pictures, weights and results under the same paths.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from danqing.core.errors import DanqingError, ParameterError, UserError
from danqing.core.progress import Job, Progress
from danqing.core.runs.order import Order, Outcome
from danqing.core.runs.parcel import Parcel
from danqing.core.runs.run import failed, fill

INSTALL = "pip install 'danqing[cluster]'"
DEATHS = 3  # of workers over one order, after which it is given up
TICK = 0.2  # seconds between two looks at the workers
PATIENCE = 5.0  # seconds to be answered by a cluster
GRACE = 1.5  # seconds that workers have to stop by themselves


class Stopped(Exception):
    """Somebody asked to stop."""


class Worker:
    """Fills orders, one after the other; Ray makes it an actor, in a process of its own."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def fill(self, parcel: Parcel, holds: bool) -> Outcome:
        """Fill an order; its error is part of the outcome.

        Args:
            parcel: the order.
            holds: whether what was made is given back, too.
        """
        try:
            outcome = self._finish(fill(parcel.opened()))
            return outcome if holds else outcome._replace(made=None)
        except Exception as error:
            return failed(parcel.source, error)

    def where(self) -> tuple[str, int]:
        """The machine and the process that it is."""
        return socket.gethostname(), os.getpid()

    def stop(self) -> None:
        """End at the next safe place, and do no more."""
        self._stopped.set()

    def _finish(self, job: Job[Outcome]) -> Outcome:
        try:
            while not self._stopped.is_set():
                next(job)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            job.close()
        raise Stopped


class Cluster:
    """Workers of Ray, one a core, started when there is something to do; threads may share a cluster.

    Args:
        address: of a cluster; empty: this machine, or the cluster that RAY_ADDRESS names.
        cores: of this machine that Ray may use; by default all.
    """

    def __init__(self, address: str = "", cores: int | None = None) -> None:
        self.address, self.cores = address, cores
        self._workers: list[Any] = []
        self._idle: list[Any] = []
        self._started = False
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        """How many orders are filled at a time."""
        return max(1, int(self._ray().cluster_resources().get("CPU", 1)))

    @property
    def workers(self) -> list[Any]:
        """Those that were started, as actors of Ray."""
        return list(self._workers)

    def fill(self, orders: Sequence[Order], is_one: bool) -> Job[list[Outcome]]:
        """Fill orders; see :class:`danqing.core.runs.place.Place`.

        Each worker is given one, and the next when it is done, so that a slow one holds up no other. A worker that dies
        is started anew, and its order is given to it again: what it had kept is found there.

        Raises:
            UserError: if the cluster cannot be reached.
        """
        parcels = [Parcel.of(order) for order in orders]
        yield Progress(0, len(orders), "starting workers")
        width, waiting = self.width, deque(range(len(orders)))
        outcomes: dict[int, Outcome] = {}
        working: dict[Any, tuple[int, Any]] = {}
        try:
            while len(outcomes) < len(orders):
                while waiting and (worker := self._take(width)) is not None:
                    number = waiting.popleft()
                    working[worker.fill.remote(parcels[number], is_one)] = number, worker
                for each in _ended(list(working)):
                    number, worker = working.pop(each)
                    outcomes[number] = _outcome(each, parcels[number])
                    self._idle.append(worker)
                first = min((number for number, _ in working.values()), default=len(outcomes) - 1)
                yield Progress(len(outcomes), len(orders), orders[max(0, first)].name)
        finally:
            self._stop(working)
        return [outcomes[number] for number in range(len(orders))]

    def close(self) -> None:
        """End all workers, and Ray if it was started here."""
        if not self._workers and not self._started:
            return
        import ray

        with self._lock:
            for worker in self._workers:
                ray.kill(worker)
            self._workers, self._idle = [], []
        if self._started:
            ray.shutdown()
            self._started = False

    def _take(self, width: int) -> Any:
        """A worker that has nothing to do, or a new one; None while all are at work."""
        import ray

        with self._lock:
            if not self._idle and len(self._workers) < width:
                facts = {"num_cpus": 1, "max_restarts": -1, "max_task_retries": DEATHS - 1, "max_concurrency": 2}
                self._workers.append(ray.remote(**facts)(Worker).remote())
                return self._workers[-1]
            return self._idle.pop() if self._idle else None

    def _stop(self, working: dict[Any, tuple[int, Any]]) -> None:
        """Let workers end at the next safe place of what they do, when nobody wants it any more."""
        if not working:
            return
        import ray

        for _, worker in working.values():
            worker.stop.remote()
        ray.wait(list(working), num_returns=len(working), timeout=GRACE)
        with self._lock:
            for _, worker in working.values():
                ray.kill(worker)
                self._workers.remove(worker)

    def _ray(self) -> Any:
        import ray

        with self._lock:
            if not ray.is_initialized():
                self._start(ray)
        return ray

    def _start(self, ray: Any) -> None:
        address = self.address or os.environ.get("RAY_ADDRESS") or None
        here: dict[str, Any] = {} if address else {"num_cpus": self.cores, "include_dashboard": False}
        try:
            _knock(address or "")
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
        except (OSError, RuntimeError, ValueError) as error:
            first = str(error).strip().partition("\n")[0][:200]
            raise UserError(f"cannot be reached ({first})", where=self.address or "ray", remedy="Is it up?") from error
        self._started = True


@contextmanager
def place_named(on: str | None) -> Iterator[Cluster | None]:
    """The place that a person names; None, for none, is this process.

    Args:
        on: ``ray`` for this machine's cores, ``ray:ADDRESS`` for a cluster.

    Raises:
        ParameterError: if there is no such place.
        UserError: if Ray is not installed.
    """
    if on is None:
        yield None
        return
    name, _, address = on.partition(":")
    if name != "ray" or (":" in on and not address.strip("/")):
        raise ParameterError(f"{on[:80]!r} is no place to work", where="--on", remedy="Give ray, or ray:ADDRESS")
    if importlib.util.find_spec("ray") is None:
        raise UserError("Ray is not installed", where="--on ray", remedy=INSTALL)
    cluster = Cluster(on if address.startswith("//") else address)
    try:
        yield cluster
    finally:
        cluster.close()


def _knock(address: str) -> None:
    """See whether anybody is at an address, since Ray asks for minutes.

    Raises:
        OSError: if nobody is.
    """
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


def _ended(futures: list[Any]) -> list[Any]:
    """Those that have ended, as soon as one has, or none after a while."""
    import ray

    if not futures:  # all workers are at work for others
        time.sleep(TICK)
        return []
    ready: list[Any] = ray.wait(futures, timeout=TICK)[0]
    return ready


def _outcome(future: Any, parcel: Parcel) -> Outcome:
    import ray

    try:
        outcome: Outcome = ray.get(future)
        return outcome
    except ray.exceptions.RayActorError:
        what, remedy = f"{DEATHS} workers died over it", "Perhaps there is not enough memory: try a smaller picture"
        return failed(parcel.source, DanqingError(what, where=parcel.source or parcel.operator, remedy=remedy))
    except ray.exceptions.RayError as error:
        return failed(parcel.source, error)


__all__ = ["Cluster", "Worker", "place_named"]

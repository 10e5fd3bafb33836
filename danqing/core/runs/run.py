"""The one way to run anything: check the values, do the work, keep the results with their recipes."""

from __future__ import annotations

import contextvars
import os
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from danqing.core.artefacts.artefact import Artefact
from danqing.core.errors import DanqingError, ParameterError, of_disk
from danqing.core.notes import noted
from danqing.core.operators.operator import Operator
from danqing.core.operators.task import Task
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.header import megapixels
from danqing.core.progress import Job, Progress, finish, shared
from danqing.core.runs.compute import Loaded, compute, load, watched
from danqing.core.runs.folders import Folders
from danqing.core.runs.order import Order, Outcome, State
from danqing.core.runs.place import Place
from danqing.core.runs.store import Store
from danqing.core.uses import Uses

IN_FLIGHT = 4  # pictures read ahead, and written behind, at most
MEGAPIXELS = 48.0  # of these together, at most: 0.6 GB each way; a larger picture goes alone
T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """What became of all that was asked for, in the order it was given, and what a person should know of it."""

    outcomes: list[Outcome]
    notes: list[str]

    def of(self, state: State) -> list[Outcome]:
        """Those that ended so."""
        return [outcome for outcome in self.outcomes if outcome.state == state]

    @property
    def made(self) -> Artefact | None:
        """What was made where one thing was asked for; of many, nothing is held on to."""
        return self.outcomes[0].made if self.outcomes else None


def run(
    task: Task[..., Any],
    values: Mapping[str, Any] | None = None,
    store: Store | None = None,
    place: Place | None = None,
) -> Job[Result]:
    """Run a task; a job that yields its Progress and can be closed wherever it does.

    An operator works on the pictures of the store. A picture whose result is there already, whole and made by the same
    step from the same bytes, is skipped. One that fails does not stop the others, unless it is the only one.

    Args:
        task: what is to be done.
        values: its parameters; pictures, masks and weights as files. None is as good as not given.
        store: where pictures come from and results go; by default no pictures, and results where they usually go.
        place: where orders are filled; by default in this process.

    Returns:
        what became of each picture.

    Raises:
        UserError: if the request cannot be met, or the only picture could not be worked on.
    """
    notes: list[str] = []
    given = {name: value for name, value in (values or {}).items() if value is not None}
    if not isinstance(task, Operator):
        if store is not None:
            raise ParameterError("takes no pictures and writes no files of a store", where=task.name)
        made = yield from watched(task.begin(given), notes, {})
        artefact = made if isinstance(made, Artefact) else task.makes.of(made)
        return Result([Outcome(None, "done", (), artefact.told(), made=artefact)], notes)
    shop = Folders() if store is None else store
    with noted(notes):
        orders = shop.orders(task, given)
    is_one = len(orders) == 1 and (shop.is_one or not task.takes_pictures)
    if place is not None:
        outcomes = yield from place.fill(orders, is_one)
        if is_one and outcomes[0].error is not None:
            raise outcomes[0].error
        return Result(outcomes, notes)
    return Result([(yield from fill(orders[0]))] if is_one else (yield from _fill_all(orders)), notes)


class Made(NamedTuple):
    """A result that is to be kept, and what belongs into its files."""

    artefact: Artefact
    like: Picture | None
    uses: Uses


def fill(order: Order) -> Job[Outcome]:
    """Fill one order; its errors go to the caller."""
    notes: list[str] = []
    with noted(notes):
        ready = _ready(order)
    if isinstance(ready, Outcome):
        return ready
    yield Progress(0, 1, order.name)
    made = yield from _made(order, ready, notes)
    return (yield from watched(keep(order, ready, made), notes, {}))._replace(notes=tuple(notes))


def _made(order: Order, ready: Loaded, notes: list[str]) -> Job[Made]:
    uses: Uses = {}
    artefact, like = yield from watched(compute(order.call, ready), notes, uses)
    return Made(artefact, like, uses)


def keep(order: Order, loaded: Loaded, made: Made) -> Job[Outcome]:
    """Write a result into the files of an order.

    Raises:
        OutputError: if it cannot be written.
    """
    if order.target is None:
        return Outcome(order.source, "done", (), made.artefact.told(), made=made.artefact)
    before = (loaded.picture.recipe if loaded.picture is not None else None) or []
    parts, fresh, numbers = order.parts(made.artefact), 0, made.artefact.told()
    for part in parts:
        order.check_free(part.file)
    there = [order.is_kept(part.file, part.take) for part in parts]  # all that can be refused is, before any is written
    for at, part in enumerate(parts):
        is_there = part.file.exists()
        recipe = [*before, order.step(part.file, part.take, made.uses)]
        if there[at]:
            written = part.content.as_written(part.file, recipe, made.like)
        else:
            fresh += 1
            saving = replace(order.saving, force=order.saving.force or is_there)  # this work, cut short
            work = part.content.keep(part.file, recipe, saving, made.like)
            written = yield from (work if len(parts) == 1 else shared(work, at / len(parts), 1 / len(parts)))
        if len(parts) == 1 and type(written) is type(made.artefact):
            numbers = written.told()
    state: State = "done" if fresh else "skipped"
    return Outcome(order.source, state, tuple(part.file for part in parts), numbers, made=made.artefact)


def _fill_all(orders: list[Order]) -> Job[list[Outcome]]:
    """Fill many orders: while one is worked on, the next ones are read and the last ones written."""
    outcomes: list[Outcome | Future[Outcome]] = []
    behind: deque[tuple[int, float]] = deque()  # which are being written, and their megapixels
    with _pool() as pool, closing(_read_ahead(pool, orders)) as ahead:
        for number, reading in enumerate(ahead):
            order, notes = reading.order, reading.notes
            yield Progress(number, len(orders), order.name)
            try:
                ready = reading.picture.result()
                if isinstance(ready, Outcome):
                    outcomes.append(ready)
                else:
                    work = _made(order, ready, notes)
                    made = yield from shared(work, number, 1, order.name, len(orders))
                    outcomes.append(pool.submit(_kept, order, ready, made, notes))
            except Exception as error:
                outcomes.append(failed(order.source, error))
            behind.append((number, reading.megapixels))
            while len(behind) > IN_FLIGHT or sum(size for _, size in behind) > MEGAPIXELS:
                at, _ = behind.popleft()
                outcomes[at] = _settled(orders[at], outcomes[at])
        settled = [_settled(order, outcome) for order, outcome in zip(orders, outcomes, strict=True)]
    yield Progress(len(orders), len(orders))
    return settled


class _Reading(NamedTuple):
    """An order whose pictures are being read."""

    order: Order
    picture: Future[Loaded | Outcome]
    megapixels: float
    notes: list[str]


def _read_ahead(pool: ThreadPoolExecutor, orders: list[Order]) -> Generator[_Reading, None, None]:
    """Yield each order while the next ones are read already, as many as fit in memory."""
    ahead: deque[_Reading] = deque()
    try:
        for order in orders:
            size = megapixels(order.source) if order.source is not None else 0.0
            while ahead and (len(ahead) >= IN_FLIGHT or size + sum(each.megapixels for each in ahead) > MEGAPIXELS):
                yield ahead.popleft()
            notes: list[str] = []
            ahead.append(_Reading(order, pool.submit(_noting(_ready, notes), order), size, notes))
        while ahead:
            yield ahead.popleft()
    finally:
        for each in ahead:
            each.picture.cancel()


def _noting(function: Callable[..., T], notes: list[str]) -> Callable[..., T]:
    """A function that collects notes, in whichever thread it runs."""

    def inner(*args: Any) -> T:
        with noted(notes):
            return function(*args)

    return lambda *args: contextvars.Context().run(inner, *args)


def _ready(order: Order) -> Loaded | Outcome:
    """Read the pictures of an order, unless its result is there already."""
    return order.kept() or load(order.call, order.inputs, order.saving.most)


def _kept(order: Order, ready: Loaded, made: Made, notes: list[str]) -> Outcome:
    outcome = finish(watched(keep(order, ready, made), notes, {}))
    return outcome._replace(notes=tuple(notes), made=None)  # of many, nothing is held on to


def _settled(order: Order, outcome: Outcome | Future[Outcome]) -> Outcome:
    """Wait until a result is written."""
    try:
        return outcome.result() if isinstance(outcome, Future) else outcome
    except Exception as error:
        return failed(order.source, error)


@contextmanager
def _pool() -> Generator[ThreadPoolExecutor, None, None]:
    """Threads that read and write; when the work is stopped, what is done is still written."""
    pool = ThreadPoolExecutor(min(IN_FLIGHT, os.cpu_count() or 1) + 1, "danqing-files")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True)


def failed(source: Path | None, error: Exception) -> Outcome:
    """Note a failure; one bad file must not stop the rest, whatever is wrong with it."""
    if not isinstance(error := of_disk(error) or error, DanqingError):
        what = f"failed unexpectedly ({type(error).__name__}: {error})"
        error = DanqingError(what, where=source, remedy="Run it on this file alone with --debug to see where")
    error.__traceback__ = error.__cause__ = error.__context__ = None  # their frames would hold on to the pictures
    return Outcome(source, "failed", error=error)


__all__ = ["Made", "Result", "failed", "fill", "keep", "run"]

"""Run any operator on one picture, several or a whole folder, and keep the results with their recipes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from danqing.core.artefacts.results import Saving
from danqing.core.errors import DanqingError
from danqing.core.operators.operator import Operator
from danqing.core.progress import Job, Progress
from danqing.core.runs.call import prepare
from danqing.core.runs.compute import Loaded, compute
from danqing.core.runs.order import Order, Outcome, State
from danqing.core.runs.targets import format_named, order_without_pictures, orders

IN_FLIGHT = 4  # pictures read ahead, and written behind, at most
MEGAPIXELS = 48.0  # of these together, at most: 0.6 GB each way; a larger picture goes alone


class _Reading(NamedTuple):
    """An order whose pictures are being read."""

    order: Order
    picture: Future[Loaded | Outcome]
    megapixels: float


@dataclass(frozen=True)
class Report:
    """What became of all pictures, in the order they were given."""

    outcomes: list[Outcome]

    def of(self, state: State) -> list[Outcome]:
        """Those that ended so."""
        return [outcome for outcome in self.outcomes if outcome.state == state]


def apply(
    operator: Operator,
    values: Mapping[str, Any] | None = None,
    pictures: Sequence[str | Path] = (),
    *,
    out: str | Path | None = None,
    out_dir: str | Path | None = None,
    saving: Saving | None = None,
) -> Job[Report]:
    """Run an operator on picture files and keep the results; a job that yields a Progress per file.

    A picture whose result is there already, made by the same step from the same bytes, is skipped. One that fails
    does not stop the others, unless it is the only one.

    Args:
        operator: what is to be done.
        values: its parameters; pictures, masks and weights as files.
        pictures: files and folders; none for an operator that takes no pictures.
        out: the file to write, for a single result.
        out_dir: the folder to write into; folders inside a folder are mirrored.
        saving: how results go into files.

    Returns:
        what became of each file.

    Raises:
        UserError: if the request cannot be met, or the only picture could not be worked on.
    """
    place, folder = Path(out) if out else None, Path(out_dir) if out_dir else None
    given = {name: value for name, value in (values or {}).items() if value is not None}
    call, saving = prepare(operator, {**format_named(operator, place), **given}), saving or Saving()
    if not operator.takes_pictures:
        return Report([(yield from _fill(order_without_pictures(call, place, folder, saving)))])
    files = [Path(picture) for picture in pictures]
    found = orders(call, files, place, folder, saving)
    if len(found) == 1 and found[0].source == files[0]:
        return Report([(yield from _fill(found[0]))])
    return Report((yield from _fill_all(found)))


def _fill(order: Order) -> Job[Outcome]:
    """Fill one order; its errors go to the caller."""
    ready = _ready(order)
    if isinstance(ready, Outcome):
        return ready
    yield Progress(0, 1, order.name)
    result, like = yield from compute(order.call, ready)
    return order.keep(ready, result, like)


def _fill_all(orders: list[Order]) -> Job[list[Outcome]]:
    """Fill many orders: while one is worked on, the next ones are read and the last ones written."""
    outcomes: list[Outcome | Future[Outcome]] = []
    behind: deque[tuple[int, float]] = deque()  # which are being written, and their megapixels
    with _pool() as pool, closing(_read_ahead(pool, orders)) as ahead:
        for number, (order, reading, size) in enumerate(ahead):
            yield Progress(number, len(orders), order.name)
            try:
                ready = reading.result()
                if isinstance(ready, Outcome):
                    outcomes.append(ready)
                else:
                    result, like = yield from _share(compute(order.call, ready), number, len(orders), order.name)
                    outcomes.append(pool.submit(order.keep, ready, result, like))
            except Exception as error:
                outcomes.append(_failed(order, error))
            behind.append((number, size))
            while len(behind) > IN_FLIGHT or sum(size for _, size in behind) > MEGAPIXELS:
                at, _ = behind.popleft()
                outcomes[at] = _settled(orders[at], outcomes[at])
        settled = [_settled(order, outcome) for order, outcome in zip(orders, outcomes, strict=True)]
    yield Progress(len(orders), len(orders))
    return settled


def _read_ahead(pool: ThreadPoolExecutor, orders: list[Order]) -> Generator[_Reading, None, None]:
    """Yield each order while the next ones are read already, as many as fit in memory."""
    ahead: deque[_Reading] = deque()
    try:
        for order in orders:
            size = order.megapixels()
            while ahead and (len(ahead) >= IN_FLIGHT or size + sum(each.megapixels for each in ahead) > MEGAPIXELS):
                yield ahead.popleft()
            ahead.append(_Reading(order, pool.submit(_ready, order), size))
        while ahead:
            yield ahead.popleft()
    finally:
        for each in ahead:
            each.picture.cancel()


def _ready(order: Order) -> Loaded | Outcome:
    """Read the pictures of an order, unless its result is there already."""
    return order.kept() or order.load()


def _settled(order: Order, outcome: Outcome | Future[Outcome]) -> Outcome:
    """Wait until a result is written."""
    try:
        return outcome.result() if isinstance(outcome, Future) else outcome
    except Exception as error:
        return _failed(order, error)


@contextmanager
def _pool() -> Generator[ThreadPoolExecutor, None, None]:
    """Threads that read and write; when the work is stopped, what is done is still written."""
    pool = ThreadPoolExecutor(min(IN_FLIGHT, os.cpu_count() or 1) + 1, "danqing-files")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True)


def _share(job: Job[Any], number: int, total: int, name: str) -> Job[Any]:
    """Show the progress inside one picture as part of the whole."""
    try:
        while True:
            try:
                inner = next(job)
            except StopIteration as end:
                return end.value
            part = min(1.0, inner.done / inner.total) if inner.total else 0.0
            yield Progress(number + part, total, f"{name} · {inner.words}", inner.preview)
    finally:
        job.close()


def _failed(order: Order, error: Exception) -> Outcome:
    """Note a failure; one bad file must not stop the rest, whatever is wrong with it."""
    if not isinstance(error, DanqingError):
        what = f"failed unexpectedly ({type(error).__name__}: {error})"
        error = DanqingError(what, where=order.source, remedy="Run it on this file alone with --debug to see where")
    error.__traceback__ = error.__cause__ = error.__context__ = None  # their frames would hold on to the pictures
    return Outcome(order.source, "failed", error=error)


__all__ = ["Report", "apply"]

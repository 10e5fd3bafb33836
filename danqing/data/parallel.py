"""Work on many pictures at once, in order, without reading far ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], workers: int | None = None) -> Generator[R, None, None]:
    """Yield ``function(item)`` for each item, in order, computed by threads at most a few items ahead.

    Threads, because decoding and resizing release the interpreter's lock, and a worker process would first have to
    import torch. When the caller stops early, what has not begun is dropped.

    Args:
        function: what to compute; called from any thread.
        items: taken from the caller's thread.
        workers: number of threads; None: one a core; 0: none, the caller computes (best for what takes no time).
    """
    if workers == 0:
        yield from map(function, items)
        return
    workers = workers or cores()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="danqing-data")
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(copy_context().run, function, item))  # so that notes get where they belong
            if len(waiting) > 4 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

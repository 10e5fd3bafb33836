"""Run a job with its progress shown, to be stopped by Ctrl-C where it can save its state."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from danqing.core.progress import Job, Progress, finish
from danqing.core.stops import stops
from danqing.faces.screen import Screen

T = TypeVar("T")
STOPPING = b"\nStopping at the next safe place. Ctrl-C again stops at once.\n"


def run(job: Job[T], screen: Screen) -> T:
    """Run a job to its end.

    The first Ctrl-C (SIGTERM, or the terminal's end) closes it at its next Progress; the second interrupts at once.

    Raises:
        KeyboardInterrupt: when it was stopped.
    """
    with _stoppable() as stopped, screen.bar() as bar:

        def show(progress: Progress) -> None:
            bar(progress)
            if stopped():
                raise KeyboardInterrupt

        return finish(job, show)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Count Ctrl-C and its like instead of dying of them; tells whether one came."""
    hits = 0

    def note(number: int, frame: Any) -> None:
        nonlocal hits
        hits += 1
        if hits > 1:
            raise KeyboardInterrupt
        with suppress(OSError):  # the terminal may be gone
            os.write(2, STOPPING)  # the one way to speak that is safe in a signal handler

    if threading.current_thread() is not threading.main_thread():  # only the main thread hears signals
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in stops()}
    try:
        yield lambda: hits > 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

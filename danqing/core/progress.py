"""Long work: a job yields Progress as it goes and returns its result; every face shows it and may cancel it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from danqing.core.pictures.contract import Images

T = TypeVar("T")


class Progress(NamedTuple):
    """How far a job is.

    ``done`` and ``total`` share one unit (steps, seconds, pictures); ``words`` is one short line for people;
    ``preview`` is a picture to look at meanwhile.
    """

    done: float
    total: float
    words: str = ""
    preview: Images | None = None


Job = Generator[Progress, None, T]
Show = Callable[[Progress], None]


def finish(job: Job[T], show: Show | None = None) -> T:
    """Run a job to its end and return its result, handing each Progress to ``show``.

    Cancelling is closing: when ``show`` raises, the job is closed at the step boundary where it stands, so that it can
    save its state, and the exception goes on to the caller.
    """
    try:
        while True:
            try:
                progress = next(job)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            if show is not None:
                show(progress)
    finally:
        job.close()

"""Long work: a job yields Progress as it goes and returns its result; every face shows it and may cancel it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


class Progress(NamedTuple):
    """How far a job is.

    ``done`` and ``total`` share one unit (steps, seconds, pictures); ``words`` is one short line for people;
    ``preview`` is a picture to look at meanwhile. ``news`` is what a person should hear of at once and still see later:
    a line or more that every face shows beside the words, which the next Progress replaces.
    """

    done: float
    total: float
    words: str = ""
    preview: Tensor | None = None
    news: str = ""


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


def shared(job: Job[T], before: float, share: float, name: str = "", total: float = 1.0) -> Job[T]:
    """Pass on the progress of a job that is a part of a larger one, as that one's.

    Args:
        job: the part.
        before: how much of the whole was done when it began.
        share: how much of the whole it is.
        name: of the part, said before its own words.
        total: how much the whole is.
    """
    try:
        while True:
            try:
                inner = next(job)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            part = min(1.0, inner.done / inner.total) if inner.total else 0.0
            words = " · ".join(filter(None, (name, inner.words)))
            yield Progress(before + share * part, total, words, inner.preview, inner.news)
    finally:
        job.close()

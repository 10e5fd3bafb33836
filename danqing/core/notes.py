"""What a person should know of a result that is sound: something was left out, passed over or guessed.

A note travels with the result of the run it was made in, not through anything that other threads share. Where nobody
collects notes (a plain call from Python) it is an ordinary warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class PictureWarning(UserWarning):
    """Something was left out or could not be kept; the result itself is sound."""


_COLLECTED: ContextVar[list[str] | None] = ContextVar("danqing_notes", default=None)


def note(words: str) -> None:
    """Say something about the result that is being made, once however often it is said."""
    notes = _COLLECTED.get()
    if notes is None:
        warnings.warn(words, PictureWarning, stacklevel=3)
    elif words not in notes:
        notes.append(words)


@contextmanager
def noted(notes: list[str]) -> Iterator[list[str]]:
    """Collect the notes of what runs inside, in this thread alone; never across a ``yield`` of a job."""
    token = _COLLECTED.set(notes)
    try:
        yield notes
    finally:
        _COLLECTED.reset(token)


__all__ = ["PictureWarning", "note", "noted"]

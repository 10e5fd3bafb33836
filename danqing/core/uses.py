"""What a run made use of beside its parameters: other operators and learned nets; it enters the recipe.

What was used travels with the run it was used in, not through anything that other threads share.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Uses = dict[str, dict[str, str]]

_COLLECTED: ContextVar[Uses | None] = ContextVar("danqing_uses", default=None)


def used(name: str, **facts: str) -> None:
    """Note that something of this name was used; ``facts`` say which: its version, the hash of its file."""
    uses = _COLLECTED.get()
    if uses is not None:
        uses[name] = facts


@contextmanager
def noting_uses(uses: Uses) -> Iterator[None]:
    """Note what is used inside, in this thread alone; never across a ``yield`` of a job."""
    token = _COLLECTED.set(uses)
    try:
        yield
    finally:
        _COLLECTED.reset(token)


__all__ = ["Uses", "noting_uses", "used"]

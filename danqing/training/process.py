"""What training sets for its whole process, lent for as long as it computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from danqing.core.progress import Job

T = TypeVar("T")


class Settings(NamedTuple):
    """What a process has one of: torch's threads, whether denormal numbers count as zero, torch's own generator."""

    threads: int
    flushing: bool
    generator: Tensor

    @classmethod
    def now(cls) -> Settings:
        """As they are."""
        tiny = torch.full((1,), torch.finfo(torch.float32).tiny)
        return cls(torch.get_num_threads(), bool(tiny.mul(0.5) == 0), torch.get_rng_state())

    def apply(self) -> None:
        """Set them."""
        if torch.get_num_threads() != self.threads:  # even the same number would cost torch its plans of convolutions
            torch.set_num_threads(self.threads)
        torch.set_flush_denormal(self.flushing)
        torch.set_rng_state(self.generator)


class _Lent:
    """Settings that a job has of its own: in force while it computes, put back while its caller does."""

    def __init__(self) -> None:
        self.own: Settings | None = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        before = Settings.now()
        if self.own is not None:
            self.own.apply()
        try:
            yield
        finally:
            self.own = Settings.now()
            before.apply()


def apart(job: Job[T]) -> Job[T]:
    """Run a job that changes its process's settings, so that nobody else meets them: not between two steps, not after.

    The job meets the settings again as it left them, whatever its caller draws or sets meanwhile.
    """
    lent = _Lent()
    try:
        while True:
            with lent.in_force():
                try:
                    progress = next(job)
                except StopIteration as end:
                    result: T = end.value
                    return result
            yield progress
    finally:
        with lent.in_force():
            job.close()


__all__ = ["Settings", "apart"]

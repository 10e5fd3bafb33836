"""The order in which pictures are learned from: endless, shuffled anew each epoch, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def shares(count: int, batch: int, seed: int, start: int, rank: int, world: int) -> Iterator[NDArray[np.int64]]:
    """Yield the indices of the pictures of each step, from step ``start`` on, for one of ``world`` processes.

    The epochs' permutations follow each other as one stream, of which every step takes the next ``batch * world``, so
    no picture is left out, a batch may reach over the end of an epoch, and a set may be smaller than a batch. The
    shares of all processes in turn are the batch that a single process with ``batch * world`` would take.

    Args:
        count: pictures in the set, at least 1.
        batch: pictures a step for each process.
        seed: decides the permutations, together with the number of the epoch.
        start: the first step.
        rank: which process this is, 0 … world - 1.
        world: number of processes.
    """
    step, epoch, order = start, -1, np.empty(0, np.int64)
    while True:
        first = (step * world + rank) * batch
        parts = []
        at = first
        while at < first + batch:
            if at // count != epoch:
                epoch = at // count
                order = np.random.default_rng((seed, epoch)).permutation(count)
            part = order[at % count : at % count + first + batch - at]
            parts.append(part)
            at += len(part)
        yield np.concatenate(parts)
        step += 1

"""Drawing sets that are to be compared, so that none of them depends on another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Random = np.random.Generator


def stream(seed: int, purpose: str) -> Random:
    """A generator for one purpose; those for different purposes share nothing but the seed."""
    return np.random.default_rng([seed, *purpose.encode()])


def classes_as_in(labels: Labels, count: int, rng: Random, fixed: int = 0) -> Labels:
    """Draw ``count`` classes as they occur among ``labels``, each independent of the others.

    Shares of classes vary from one set of pictures to the next. Where those of the other set of a comparison do not,
    since it was made with just the shares of ``labels``, two sets of one distribution would lie nearer to each other
    than chance lets them, and an unbiased kernel distance below zero. There the shares that are drawn from vary
    instead, as they do among ``fixed`` pictures.

    Args:
        labels: class numbers, at least one.
        count: how many are drawn.
        rng: draws them.
        fixed: how many pictures have just the shares of ``labels``; 0: none.

    Source: danqing; docs/adr/0019.
    """
    pool = rng.choice(labels, fixed) if fixed else labels
    return rng.choice(pool, count)


def led_by(labels: Labels, wanted: Labels, rng: Random) -> NDArray[np.int64]:
    """A random order of all pictures that begins with pictures of the ``wanted`` classes, as far as there are any."""
    order = rng.permutation(len(labels))
    first = np.full(len(wanted), -1)
    for each in np.unique(wanted):
        places, there = np.flatnonzero(wanted == each), order[labels[order] == each]
        some = min(len(places), len(there))
        first[places[:some]] = there[:some]
    first = first[first >= 0]
    return np.concatenate([first, order[~np.isin(order, first)]])


__all__ = ["classes_as_in", "led_by", "stream"]

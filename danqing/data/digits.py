"""The built-in digits: 10,000 handwritten digits of MNIST, 28×28, black paper and white ink."""

from __future__ import annotations

import functools
import lzma
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("digits.xz")
SIDE = 28
COUNT = 10_000
TEST = 2_000
SEED = 1998  # the year of the MNIST database


def digits(split: str | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the pictures (N, 28, 28), uint8, and their labels (N,), in an order shuffled once and for all.

    Args:
        split: "train" (8,000), "test" (2,000), or None for both, train first. Each class is divided 4 : 1.
    """
    pictures, labels = _load()
    part = {"train": slice(COUNT - TEST), "test": slice(COUNT - TEST, None), None: slice(None)}[split]
    return pictures[part], labels[part]


@functools.cache
def _load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    raw = np.frombuffer(lzma.decompress(FILE.read_bytes()), np.uint8)
    labels, pictures = raw[:COUNT].astype(np.int64), raw[COUNT:].reshape(COUNT, SIDE, SIDE)
    order = _order(labels)
    return pictures[order], labels[order]


def _order(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """A fixed shuffle whose last 2,000 hold every class in proportion (largest remainders round the shares up)."""
    rng = np.random.RandomState(SEED)  # the one numpy generator whose stream is promised never to change
    shares = np.bincount(labels) * (TEST / COUNT)
    wanted = shares.astype(np.int64)
    wanted[np.argsort(wanted - shares, kind="stable")[: TEST - wanted.sum()]] += 1
    shuffled = rng.permutation(COUNT)
    place = np.zeros(COUNT, np.int64)  # of each shuffled picture among those of its class
    for digit in range(len(shares)):
        mine = labels[shuffled] == digit
        place[mine] = np.arange(mine.sum())
    held_out = place < wanted[labels[shuffled]]
    return np.concatenate([shuffled[~held_out], shuffled[held_out]])

"""Pictures that look alike: a perceptual hash to find candidates fast, a small copy of each to make sure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE, LOW = 32, 8  # sides: of what the hash is taken from, and of the frequencies it keeps
BITS = 6  # of 64 that the hashes of two alike may differ in
BAND = 64 // (BITS + 1)  # bits; if at most 6 bits differ, at least one of 7 bands of bits is the same
ROUNDING = 1.0  # on the scale of sums over 1,024 bytes: what arithmetic leaves of a frequency that is not there
ALIKE = 0.99  # correlation of the small copies
FLAT = 4.0  # deviation, in 0–255, under which a picture shows nothing that could correlate

_at = np.arange(SIDE)
COSINES = np.cos(np.pi * np.outer(np.arange(LOW), 2 * _at + 1) / (2 * SIDE)).astype(np.float32)


class Look(NamedTuple):
    """What one picture looks like: a hash of 64 bits and a grey copy (16 * 16,)."""

    hash: np.uint64
    thumb: NDArray[np.uint8]


def look_at(grey: NDArray[np.uint8]) -> Look:
    """Take the perceptual hash of a grey picture squeezed to (32, 32).

    Each bit says whether one of the 8 × 8 lowest frequencies of the cosine transform lies above their median; the mean
    brightness, frequency (0, 0), is left out. The hash hardly changes with size, compression, brightness or contrast.

    Source: C. Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1.
    """
    frequencies = (COSINES @ grey.astype(np.float32) @ COSINES.T).ravel()
    frequencies[0] = 0
    frequencies[abs(frequencies) < ROUNDING] = 0
    bits = np.packbits(frequencies > np.partition(frequencies[1:], LOW * LOW // 2 - 1)[LOW * LOW // 2 - 1])
    rows = grey[::2].astype(np.uint16) + grey[1::2]
    thumb = (rows[:, ::2] + rows[:, 1::2] + 2) // 4
    return Look(bits.view(np.uint64)[0], thumb.astype(np.uint8).ravel())


def alike(looks: list[Look]) -> list[list[int]]:
    """Group pictures that are nearly the same: recompressed, resized, a little brighter.

    Returns:
        Groups of two or more indices, each in ascending order.
    """
    if not looks:
        return []
    hashes = np.array([look.hash for look in looks], np.uint64)
    thumbs = np.array([look.thumb for look in looks], np.uint8)
    leader = np.arange(len(looks))
    for first, second in _candidates(hashes):
        same = _look_the_same(thumbs, first, second)
        for one, other in zip(first[same].tolist(), second[same].tolist(), strict=True):
            _join(leader, one, other)
    groups = defaultdict(list)
    for at in range(len(looks)):
        groups[_find(leader, at)].append(at)
    return [group for group in groups.values() if len(group) > 1]


def _candidates(hashes: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Pairs whose hashes differ in at most six bits; some pairs more than once."""
    for band in range(BITS + 1):
        keys = (hashes >> np.uint64(band * BAND)) & np.uint64((1 << BAND) - 1)
        order = np.argsort(keys, kind="stable")
        ranked, at, step = keys[order], np.arange(len(order)), 0
        while len(at):  # compare each with the next but one, but two … while the band is still the same
            step += 1
            at = at[at + step < len(order)]
            at = at[ranked[at] == ranked[at + step]]
            first, second = order[at], order[at + step]
            close = np.bitwise_count(hashes[first] ^ hashes[second]) <= BITS
            if close.any():
                yield first[close], second[close]


def _look_the_same(thumbs: NDArray[np.uint8], first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.bool_]:
    a, b = thumbs[first].astype(np.float32), thumbs[second].astype(np.float32)
    flat = (a.std(1) < FLAT) & (b.std(1) < FLAT) & (abs(a.mean(1) - b.mean(1)) < FLAT)
    a, b = a - a.mean(1, keepdims=True), b - b.mean(1, keepdims=True)
    energy = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    textured = np.minimum(a.std(1), b.std(1)) >= FLAT
    result: NDArray[np.bool_] = flat | (textured & ((a * b).sum(1) > ALIKE * energy))
    return result


def _find(leader: NDArray[np.intp], at: int) -> int:
    while leader[at] != at:
        leader[at] = leader[leader[at]]
        at = int(leader[at])
    return at


def _join(leader: NDArray[np.intp], one: int, other: int) -> None:
    low, high = sorted((_find(leader, one), _find(leader, other)))
    leader[high] = low

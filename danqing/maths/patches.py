"""Patches over a hole and the known patches that look like them: how unlike two are, the search, and the painting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

Plane = np.ndarray[Any, np.dtype[Any]]
STEPS = (4, 1)  # px; how far away a match is asked for
PARTS = 4  # in which patches are compared: most guesses are given up after the first
SHARPNESS = 4.0  # how much less unlike patches count in painting: lower blurs
TRUST = 1.3  # by which a patch counts less for every pixel deeper in the hole
DEEPEST = 150  # px; from there on all count the same


class Grid(NamedTuple):
    """A picture at one size, its places counted row by row.

    Attributes:
        pixels: (N, C), what is compared and painted; those in the hole change.
        hole: (N,), bool.
        shape: height and width; H · W = N.
        around: offsets (K,) from the middle of a patch to its pixels.
        here: places (T,) of the patches that see something of the hole.
        known: (N,), bool, places of patches that see nothing of it.
    """

    pixels: Plane
    hole: Plane
    shape: tuple[int, int]
    around: Plane
    here: Plane
    known: Plane

    @property
    def radius(self) -> int:
        """How far a patch reaches from its middle, in pixels."""
        return math.isqrt(self.around.size) // 2


def grid_of(pixels: Plane, hole: Plane, radius: int) -> Grid:
    """Count out a picture (H, W, C) with a hole (H, W) for patches of 2 · radius + 1 pixels a side."""
    height, width = hole.shape
    reach = np.arange(-radius, radius + 1)
    around = (reach[:, None] * width + reach).ravel()
    over = near(hole, radius) & _inside(hole.shape, radius)
    flat = np.where(hole[..., None], 0, pixels).astype(np.float32).reshape(height * width, -1)
    return Grid(flat, hole.ravel(), (height, width), around, np.flatnonzero(over), known(hole, radius).ravel())


def known(hole: Plane, radius: int) -> Plane:
    """Where a patch sees nothing of the hole (H, W) and lies in the picture, (H, W)."""
    return ~near(hole, radius) & _inside(hole.shape, radius)


def near(marked: Plane, radius: int) -> Plane:
    """Where a mark (H, W) is at most ``radius`` rows and columns away."""
    import cv2

    side = 2 * radius + 1
    return np.asarray(cv2.dilate(marked.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def _inside(shape: tuple[int, ...], radius: int) -> Plane:
    inside = np.zeros(shape, bool)
    inside[radius : shape[0] - radius, radius : shape[1] - radius] = True
    return inside


def depth(grid: Grid) -> Plane:
    """How deep in the hole each place lies, (N,), in pixels; the border of the picture is no rim."""
    import cv2

    hole = np.pad(grid.hole.reshape(grid.shape).astype(np.uint8), 1, mode="edge")
    return np.asarray(cv2.distanceTransform(hole, cv2.DIST_C, 3)[1:-1, 1:-1].ravel())


def unlikeness(grid: Grid, here: Plane, there: Plane, limit: Plane | None = None) -> Plane:
    """The squared differences of pairs of patches, summed, (M,); infinite for those that reach their limit (M,).

    Source: Y. Wexler et al., "Space-time completion of video", 2007, eq. 2.
    """
    total, open_ = np.zeros(here.size, np.float32), np.arange(here.size)
    for part in range(PARTS):
        for offset in grid.around[part::PARTS]:
            gap = grid.pixels.take(here + offset, 0)
            gap -= grid.pixels.take(there + offset, 0)
            total[open_] += np.einsum("mc,mc->m", gap, gap)
        if limit is not None:
            over = total[open_] >= limit[open_]
            total[open_[over]] = np.inf
            open_, here, there = open_[~over], here[~over], there[~over]
    return total


def searched(grid: Grid, there: Plane, rng: Generator) -> Plane:
    """Look for better matches: beside those of the neighbours, and at random ever nearer to the own.

    Args:
        grid: the picture as painted so far.
        there: places (T,) of the matches so far.
        rng: source of the random guesses.

    Returns:
        Places (T,) of matches that are as like or liker.

    Source: C. Barnes et al., "PatchMatch: a randomized correspondence algorithm for structural image editing", 2009,
    section 3; all patches at once.
    """
    there, cost = there.copy(), unlikeness(grid, grid.here, there)
    for row, column in _guesses(grid, there, rng):
        inside = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
        guess = np.where(inside, row * grid.shape[1] + column, there)
        which = np.flatnonzero(grid.known[guess] & (guess != there))
        new = unlikeness(grid, grid.here[which], guess[which], cost[which])
        better = new < cost[which]
        there[which[better]], cost[which[better]] = guess[which[better]], new[better]
    return there


def _guesses(grid: Grid, there: Plane, rng: Generator) -> Iterator[tuple[Plane, Plane]]:
    """Rows and columns (T,) to be tried next, from ``there`` as it stands by then; -1 where there is no guess."""
    width = grid.shape[1]
    rank = np.full(grid.hole.size, -1)
    rank[grid.here] = np.arange(grid.here.size)
    for step in STEPS:
        for down, right in ((-step, 0), (step, 0), (0, -step), (0, step)):
            beside = grid.here + down * width + right
            exists = (beside >= 0) & (beside < rank.size) & (abs(beside % width - grid.here % width) == abs(right))
            neighbour = np.where(exists, rank[beside.clip(0, rank.size - 1)], -1)
            row, column = np.divmod(there[neighbour], width)
            yield np.where(neighbour >= 0, row - down, -1), column - right
    reach = max(grid.shape)
    while reach:
        row, column = np.divmod(there, width)
        yield row + rng.integers(-reach, reach + 1, row.size), column + rng.integers(-reach, reach + 1, row.size)
        reach //= 2


def paint(grid: Grid, there: Plane) -> None:
    """Paint the hole with what the matches (T,) say of it."""
    says, voted = votes(grid, grid.here, there, unlikeness(grid, grid.here, there))
    painted = grid.hole & voted
    grid.pixels[painted] = says[painted]


def votes(grid: Grid, here: Plane, there: Plane, cost: Plane) -> tuple[Plane, Plane]:
    """Ask patches what they would paint if they were their matches.

    Args:
        grid: the picture.
        here: places (M,) of patches, each once.
        there: places (M,) of their matches.
        cost: how unlike they are, (M,).

    Returns:
        Means (N, C) of what is said of each pixel, those that are like and near the rim counting more; and where
        something is said (N,).

    Source: Y. Wexler et al. 2007, eq. 3 and 5, with weights exp(-4 · cost / mean cost of the patches around): there are
    less like ones all along the rim, and one measure for all would leave the rim to those behind it.
    """
    doubt = np.minimum(SHARPNESS * cost / _usual(grid, here, cost), 40)
    doubt += np.log(TRUST) * np.minimum(depth(grid)[here], DEEPEST)
    weight = np.exp(-doubt).astype(np.float32)[:, None]
    total, count = np.zeros_like(grid.pixels), np.zeros((grid.hole.size, 1), np.float32)
    for offset in grid.around:  # for one offset no pixel comes twice
        total[here + offset] += weight * grid.pixels.take(there + offset, 0)
        count[here + offset] += weight
    return total / np.where(count > 0, count, 1), count[:, 0] > 0


def _usual(grid: Grid, here: Plane, cost: Plane) -> Plane:
    """The mean cost of the patches whose middles lie in each patch, (M,)."""
    import cv2

    side, planes = 2 * grid.radius + 1, np.zeros((2, grid.hole.size), np.float32)
    planes[0, here], planes[1, here] = cost, 1
    total, count = (
        cv2.boxFilter(plane.reshape(grid.shape), -1, (side, side), borderType=cv2.BORDER_CONSTANT).ravel()[here]
        for plane in planes
    )
    return np.asarray(np.maximum(total / np.maximum(count, 1e-6), 1e-8))

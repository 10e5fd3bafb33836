"""New pictures from one: whatever is painted looks, patch by patch, like something in it, from coarse to fine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch.nn import functional

from danqing.core.progress import Job, Progress

Plane = np.ndarray[Any, np.dtype[Any]]
SHRINK = 0.7  # of the side from one level to the next
MOST = 8_192  # pixels there, where every patch is compared with every other
COVERAGE = 0.01  # how little a patch of the source must be used before it is preferred, where all are to be
CROWDED = 0.5  # what a match counts more, there, for each time it is used more often than all are on average
ROUNDS = 4  # of search and painting on each level; the coarsest has EXACT instead
EXACT = 8
TRIED = 2  # of them for every first guess, the rest for the better half
SPREAD = 1.4  # px; standard deviation of the window in which patches vote: the middle says most, so edges stay sharp
VOTES = 6  # px; how far from its middle a patch votes at most: further off it would count less than 1/5,000
NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0))
KEYS = 16  # numbers that stand for a patch where it is searched for
LOOKED_AT = 64  # rows and columns of patches from which it is learned which
LEAST = 1e-4  # what the best match costs, so that crowding counts there, too
GUESSES = 3  # random ones around each match, each nearer


class Way(NamedTuple):
    """What counts where something is regrown.

    Attributes:
        coarsest: px; the shorter side of the source where it begins: what is finer in a guess is forgotten.
        fair: whether all of the source is to be used about as often, or as often as the guess has it.
    """

    coarsest: int = 24
    fair: bool = True


USUAL = Way()


class Seen(NamedTuple):
    """A source, as matches are searched for in it.

    Attributes:
        basis: directions of the numbers of a patch, (K, C, side, side).
        keys: the patch around each pixel along these, (H, W, K).
    """

    basis: Plane
    keys: Plane


def regrown(
    source: Plane,
    guesses: Sequence[Plane],
    size: tuple[int, int],
    wrapped: bool,
    radius: int,
    rng: Generator,
    way: Way = USUAL,
) -> Job[Plane]:
    """Paint a picture (height, width, C) as ``size`` says that looks like ``source`` everywhere and begins as a guess.

    Args:
        source: (H, W, C) float32.
        guesses: (h, w, C), any size: each is shrunk to the coarsest level; the one that becomes likest is gone on with.
        size: height and width of the result.
        wrapped: whether patches go over the edges, so that the result can be tiled.
        radius: how far a patch reaches from its middle, px.
        rng: source of random guesses.
        way: what counts.

    Source: Granot et al. 2022, "Drop the GAN", section 3 (patch nearest neighbours, normalised for coverage);
    Kwatra et al. 2005 (texture optimisation); search: Barnes et al. 2009 (PatchMatch); crowding: Kaspar et al. 2015,
    "Self tuning texture optimization", section 3.2.
    """
    levels = levels_of(source.shape[:2], way.coarsest)
    ends = [tuple(max(2 * radius + 1, round(side * share)) for side in size) for share in levels]
    sources = [resized(source, shape_at(source.shape[:2], share)) for share in levels]
    target, field = _begun(sources[-1], [resized(guess, ends[-1]) for guess in guesses], radius, wrapped, way)
    total = len(levels) * ROUNDS
    for level in reversed(range(len(levels))):
        if level + 1 < len(levels):
            field = _lifted(field, sources[level + 1].shape[:2], sources[level].shape[:2], ends[level], radius)
            target = voted(sources[level], field, radius, wrapped)
        seen = _seen(sources[level], radius)
        for turn in range(ROUNDS):
            yield Progress((len(levels) - 1 - level) * ROUNDS + turn, total, f"{ends[level][1]} × {ends[level][0]} px")
            field = searched(seen, target, field, radius, wrapped, rng, way.fair)
            target = voted(sources[level], field, radius, wrapped)
    return np.asarray(target.clip(0, 1))


def levels_of(shape: tuple[int, ...], coarsest: int = USUAL.coarsest) -> list[float]:
    """Sides of each level as shares of the full one, from fine to coarse."""
    levels = [1.0]
    while min(shape) * levels[-1] > coarsest or math.prod(shape_at(shape, levels[-1])) > MOST:
        levels.append(SHRINK ** len(levels))
    return levels


def shape_at(shape: tuple[int, ...], share: float) -> tuple[int, int]:
    """Height and width at a level."""
    return max(8, round(shape[0] * share)), max(8, round(shape[1] * share))


def resized(picture: Plane, shape: tuple[int, ...]) -> Plane:
    """The picture (H, W, C) at another size, averaged where it becomes smaller."""
    import cv2

    if picture.shape[:2] == tuple(shape):
        return picture.astype(np.float32)
    smaller = shape[0] * shape[1] < picture.shape[0] * picture.shape[1]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    made = cv2.resize(picture.astype(np.float32), (shape[1], shape[0]), interpolation=way)
    return np.asarray(made.reshape(*shape, picture.shape[2]))


def shuffled(source: Plane, shape: tuple[int, int], rng: Generator, block: int = 8) -> Plane:
    """A first guess: blocks from anywhere in the source (H, W, C), side by side."""
    high, wide = (math.ceil(side / block) for side in shape)
    made = np.empty((high * block, wide * block, source.shape[2]), np.float32)
    for row in range(high):
        for column in range(wide):
            top, left = (int(rng.integers(0, max(1, side - block))) for side in source.shape[:2])
            piece = source[top : top + block, left : left + block]
            place = made[row * block : (row + 1) * block, column * block : (column + 1) * block]
            place[: piece.shape[0], : piece.shape[1]] = piece
    return made[: shape[0], : shape[1]]


def voted(source: Plane, field: Plane, radius: int, wrapped: bool) -> Plane:
    """What the matches (h, w, 2) would paint together (h, w, C)."""
    pixels, at = source.reshape(-1, source.shape[2]), field[..., 0] * source.shape[1] + field[..., 1]
    reach = min(radius, VOTES)
    around = np.pad(at, reach, mode="wrap") if wrapped else at
    total = np.zeros((*at.shape, source.shape[2]))
    weights = 0.0
    for down, right in _offsets(reach):
        weight = math.exp(-(down**2 + right**2) / (2 * SPREAD**2))
        if wrapped:
            from_there = _cut(around, reach - down, reach - right, at.shape) + (down * source.shape[1] + right)
        else:
            from_there = _matched(at, source.shape[1], down, right, radius)
        total += weight * pixels.take(from_there, 0)
        weights += weight
    return np.asarray(total / weights, np.float32)


def _cut(plane: Plane, top: int, left: int, shape: tuple[int, ...]) -> Plane:
    return plane[top : top + shape[0], left : left + shape[1]]


def _matched(at: Plane, width: int, down: int, right: int, radius: int) -> Plane:
    """Which pixel of the source, by number, the patch (down, right) before each place puts there, or the nearest."""
    rows, columns = (np.arange(side) for side in at.shape)
    top = (rows - down).clip(radius, len(rows) - 1 - radius)
    left = (columns - right).clip(radius, len(columns) - 1 - radius)
    return np.asarray(at[np.ix_(top, left)] + (rows - top)[:, None] * width + (columns - left)[None])


def searched(
    seen: Seen,
    target: Plane,
    field: Plane,
    radius: int,
    wrapped: bool,
    rng: Generator,
    fair: bool,
) -> Plane:
    """Better matches: those of neighbours, moved along, and random ones around; if fair, less crowded ones."""
    keys, (height, width) = seen.keys, seen.keys.shape[:2]
    wanted = _keys(_around(target, radius, wrapped), seen.basis)
    crowd = _crowd(field, (height, width), radius) if fair else np.ones((height, width), np.float32)
    best = field
    cost = _gap(keys, wanted, best) * crowd[best[..., 0], best[..., 1]]
    ends = np.array([height - 1 - radius, width - 1 - radius])
    reach = max(height, width) // 2
    for number in range(len(NEIGHBOURS) + GUESSES):
        if number < len(NEIGHBOURS):
            down, right = NEIGHBOURS[number]
            tried = _moved(best, -down, -right, wrapped, radius) - (down, right)
        else:
            reach = max(1, reach // 4)
            tried = best + rng.integers(-reach, reach + 1, best.shape)
        tried = tried.clip(radius, ends)
        mine = _gap(keys, wanted, tried) * crowd[tried[..., 0], tried[..., 1]]
        better = mine < cost
        best, cost = np.where(better[..., None], tried, best), np.where(better, mine, cost)
    return np.asarray(best)


def _offsets(radius: int) -> list[tuple[int, int]]:
    reach = range(-radius, radius + 1)
    return [(down, right) for down in reach for right in reach]


def _around(target: Plane, radius: int, wrapped: bool) -> Plane:
    """The target with as much beyond its edges as a patch reaches."""
    ways = ((radius, radius), (radius, radius), (0, 0))
    return np.pad(target, ways, mode="wrap" if wrapped else "reflect")


def _moved(field: Plane, down: int, right: int, wrapped: bool, radius: int) -> Plane:
    """The field whose entry at p is that at p − (down, right).

    At edges that nothing wraps only whole patches count: there it is the entry of the nearest of them, as much further
    as the patch is further away.
    """
    if wrapped:
        return np.roll(field, (down, right), (0, 1))
    height, width = field.shape[:2]
    rows, columns = np.arange(height), np.arange(width)
    top = (rows - down).clip(radius, height - 1 - radius)
    left = (columns - right).clip(radius, width - 1 - radius)
    moved = field[np.ix_(top, left)].copy()
    moved[..., 0] += (rows - top - down)[:, None]
    moved[..., 1] += (columns - left - right)[None]
    return np.asarray(moved)


def _gap(keys: Plane, wanted: Plane, field: Plane) -> Plane:
    """How far each target patch is from its match, (h, w), by the keys of both."""
    there = keys.reshape(-1, keys.shape[2]).take(field[..., 0] * keys.shape[1] + field[..., 1], 0)
    there -= wanted
    return np.asarray(np.einsum("ijk,ijk->ij", there, there)) + LEAST


def _seen(source: Plane, radius: int) -> Seen:
    """A source (H, W, C) along what its patches differ in most.

    Source: Sproull 1991, "Refinements to nearest-neighbor searching in k-dimensional trees" (principal axes first).
    """
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(source, (side, side), (0, 1))
    rows, columns = (np.linspace(0, each - 1, min(each, LOOKED_AT)).astype(int) for each in windows.shape[:2])
    some = windows[np.ix_(rows, columns)].reshape(len(rows) * len(columns), -1).astype(np.float64)
    _, axes = np.linalg.eigh(np.cov(some, rowvar=False).reshape(some.shape[1], -1))
    kept = axes[:, ::-1][:, :KEYS].T.reshape(-1, source.shape[2], side, side).astype(np.float32)
    return Seen(kept, _keys(_around(source, radius, False), kept))


def _keys(around: Plane, basis: Plane) -> Plane:
    """The patches of a picture with their surroundings (H, W, C) along each direction of a basis, (h, w, K)."""
    picture = torch.from_numpy(np.ascontiguousarray(around.transpose(2, 0, 1)))[None]
    seen = functional.conv2d(picture, torch.from_numpy(basis))[0]
    return np.asarray(seen.permute(1, 2, 0).contiguous().numpy())


def _crowd(field: Plane, shape: tuple[int, int], radius: int) -> Plane:
    """What a match at each place of the source counts, (H, W): more where more come from than on average."""
    import cv2

    uses = np.bincount((field[..., 0] * shape[1] + field[..., 1]).ravel(), minlength=shape[0] * shape[1])
    side = 2 * radius + 1
    near = cv2.boxFilter(uses.reshape(shape).astype(np.float32), -1, (side, side))
    usual = field[..., 0].size / ((shape[0] - 2 * radius) * (shape[1] - 2 * radius))
    return np.asarray(1 + CROWDED * np.clip(near / usual - 1, 0, None))


def _begun(source: Plane, guesses: Sequence[Plane], radius: int, wrapped: bool, way: Way) -> tuple[Plane, Plane]:
    """The guess, made like the source by exact search, that is likest in the end both ways, with its matches.

    The half that is less like it after a few rounds is given up.
    """
    keys = _patches(source, radius)
    tried = [_likened(source, keys, target, TRIED, radius, wrapped, way.fair) for target in guesses]
    better = sorted(tried, key=lambda each: each[0])[: -(-len(tried) // 2)]
    ends = [_likened(source, keys, target, EXACT - TRIED, radius, wrapped, way.fair) for _, target, _ in better]
    _, target, field = min(ends, key=lambda each: each[0])
    return target, field


def _likened(
    source: Plane, keys: Plane, target: Plane, rounds: int, radius: int, wrapped: bool, fair: bool
) -> tuple[float, Plane, Plane]:
    """How unlike the target is after rounds of exact search and painting, the target itself, and its matches.

    ``keys`` are the patches of the source.
    """
    for _ in range(rounds):
        field = _likest(keys, source.shape[1], target, radius, wrapped, fair)
        target = voted(source, field, radius, wrapped)
    gaps = _gaps(keys, target, radius, wrapped)
    return float(gaps.min(1).mean() + gaps.min(0).mean()), target, field


def _likest(keys: Plane, width: int, target: Plane, radius: int, wrapped: bool, fair: bool) -> Plane:
    """The match of each target patch in a source so wide, (h, w, 2); if fair, rather one that is seldom likest."""
    gaps = _gaps(keys, target, radius, wrapped)
    if fair:
        gaps /= COVERAGE + gaps.min(0)
    rows, columns = np.divmod(gaps.argmin(1), width - 2 * radius)
    return np.stack([rows, columns], -1).reshape(*target.shape[:2], 2) + radius


def _gaps(keys: Plane, target: Plane, radius: int, wrapped: bool) -> Plane:
    """The mean squared difference of each patch of the target from each of the source, (M, N)."""
    queries = _patches(_around(target, radius, wrapped), radius)
    gaps = queries @ keys.T
    gaps *= -2
    gaps += np.einsum("ij,ij->i", queries, queries)[:, None]
    gaps += np.einsum("ij,ij->i", keys, keys)[None]
    gaps /= keys.shape[1]
    return np.asarray(gaps.clip(0, out=gaps))


def _patches(picture: Plane, radius: int) -> Plane:
    """All whole patches (N, K · C)."""
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side), (0, 1))
    height, width = windows.shape[:2]
    return np.asarray(windows.reshape(height * width, -1), np.float32)


def _lifted(field: Plane, coarse: tuple[int, ...], fine: tuple[int, ...], size: tuple[int, ...], radius: int) -> Plane:
    """Take matches over to the next finer level."""
    old = np.array(field.shape[:2])
    rows, columns = (((np.arange(size[axis]) + 0.5) * old[axis] / size[axis]) for axis in (0, 1))
    top, left = rows.astype(int).clip(0, old[0] - 1), columns.astype(int).clip(0, old[1] - 1)
    match = field[np.ix_(top, left)] + 0.5
    match[..., 0] += (rows - top - 0.5)[:, None]
    match[..., 1] += (columns - left - 0.5)[None]
    scale = np.array(fine) / np.array(coarse)
    ends = np.array(fine) - 1 - radius
    return np.asarray((match * scale).astype(int).clip(radius, ends))

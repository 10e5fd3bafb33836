"""Fill a hole from patches: repaint it, from coarse to fine, until all over it looks like something known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from danqing.core.progress import Job, Progress
from danqing.maths.membrane import halved, membrane
from danqing.maths.patches import Grid, depth, grid_of, known, near, paint, searched, unlikeness, votes

Plane = np.ndarray[Any, np.dtype[Any]]
ROUGHNESS = 4.0  # what roughness counts beside colour: without it means of patches, which are smooth, look likest
ROUGH = 7  # px; side of the window that roughness is averaged over
THICK = 2.0  # patches that a hole may be thick on the coarsest grid: a patch there should see its rim
FEWEST = 50  # patches to choose from on a coarse grid
SAMPLE = 256, 4096  # patches that the first look is taken at, fewest and most: as many as make PAIRS comparisons
PAIRS = 4_000_000
LAYERS = 30  # in which a hole is filled first, about
AT_ONCE = 1024  # patches compared with all of these together
MOST = 6  # rounds of search and painting on a grid, or as many as make EFFORT searches, but at least one
EFFORT = 60_000
LARGE = 300_000  # patches over the hole from which on the finest grids only take over what coarser ones found
SEAM = 0.06  # largest step at the rim that is smoothed over: a larger one is an edge


def exemplar(picture: Plane, hole: Plane, radius: int, rng: Generator) -> Job[Plane]:
    """Paint a hole with what looks like the rest of the picture, its texture and edges.

    Args:
        picture: (H, W, C), float32, values in [0, 1]; what stands in the hole does not count.
        hole: (H, W), bool; some pixel must be known.
        radius: how far a patch reaches from its middle, in pixels; less where no whole patch is known.
        rng: source of the random guesses.

    Returns:
        A job with the picture (H, W, C), float32, values in [0, 1]; known pixels are unchanged.

    Source: Y. Wexler, E. Shechtman, M. Irani, "Space-time completion of video", 2007; searched as by C. Barnes et al.,
    "PatchMatch", 2009; begun and roughness compared as by A. Newson et al., "Non-local patch-based image inpainting",
    2017; the seam closed as by P. Pérez et al., "Poisson image editing", 2003.
    """
    radii = range(min(radius, (min(hole.shape) - 1) // 2), 0, -1)
    radius = next((each for each in radii if known(hole, each).any()), 0)
    if not radius:
        return membrane(picture, hole)
    grids = _pyramid(picture, hole, radius)
    rounds = [_rounds(grid) for grid in grids]
    there = _peeled(grids[-1], rng)
    for number in reversed(range(len(grids))):
        if number + 1 < len(grids):
            there = _lifted(grids[number + 1], there, grids[number])
        paint(grids[number], there)
        for turn in range(rounds[number]):
            yield Progress(sum(rounds[number + 1 :]) + turn, sum(rounds), "patches")
            there = searched(grids[number], there, rng)
            paint(grids[number], there)
    return np.where(hole[..., None], _close_seam(grids[0], there, picture.shape[2]), picture)


def _pyramid(picture: Plane, hole: Plane, radius: int) -> list[Grid]:
    """The picture at full, half … size, until the hole is thin."""
    grids = [grid_of(np.concatenate([picture, _roughness(picture, hole)], 2), hole, radius)]
    while 2 * int(depth(grids[-1]).max()) > THICK * (2 * radius + 1):
        fine = grids[-1]
        pixels, hidden = halved(fine.pixels.reshape(*fine.shape, -1), fine.hole.reshape(fine.shape), share=0.5)
        if min(hidden.shape) <= 2 * radius or np.count_nonzero(known(hidden, radius)) < FEWEST:
            break
        grids.append(grid_of(pixels, hidden, radius))
    return grids


def _roughness(picture: Plane, hole: Plane) -> Plane:
    """How much brightness changes around each pixel, down and across, (H, W, 2); what is in the hole does not count."""
    import cv2

    light, seen, rough = picture.mean(2), (~hole).astype(np.float32), []
    for axis in (0, 1):
        steps = np.abs(np.diff(light, axis=axis, append=light.take([-1], axis)))
        told = seen * np.concatenate([np.delete(seen, 0, axis), seen.take([-1], axis)], axis)
        total, count = (
            cv2.boxFilter(each, -1, (ROUGH, ROUGH), borderType=cv2.BORDER_REFLECT) for each in (steps * told, told)
        )
        rough.append(ROUGHNESS * total / np.maximum(count, 1e-6))
    return np.stack(rough, 2)


def _rounds(grid: Grid) -> int:
    return 0 if grid.here.size > LARGE else min(MOST, max(1, EFFORT // max(grid.here.size, 1)))


def _peeled(grid: Grid, rng: Generator) -> Plane:
    """First matches (T,): the hole is filled layer by layer, from what is known of the patches on its rim."""
    sample = min(max(PAIRS // max(grid.here.size, 1), SAMPLE[0]), SAMPLE[1])
    choice = rng.permutation(np.flatnonzero(grid.known))[:sample]
    offered = grid.pixels[choice[:, None] + grid.around].reshape(choice.size, -1)
    match, seen = np.full(grid.hole.size, -1), ~grid.hole
    match[grid.here], radius = choice[0], grid.radius
    height, width = grid.shape
    thickness = 1 + int(depth(grid).max()) // LAYERS
    while not seen.all():
        ring = near(seen.reshape(grid.shape), thickness).ravel() & ~seen
        row, column = np.divmod(np.flatnonzero(ring), width)
        row, column = row.clip(radius, height - 1 - radius), column.clip(radius, width - 1 - radius)
        here = np.unique(row * width + column)
        found, cost = _likest(grid, here, seen, offered)
        match[here] = choice[found]
        says, voted = votes(grid, here, match[here], cost)
        grid.pixels[ring & voted] = says[ring & voted]
        seen |= ring
    found, _ = _likest(grid, grid.here, seen, offered)
    return choice[found]


def _likest(grid: Grid, here: Plane, seen: Plane, offered: Plane) -> tuple[Plane, Plane]:
    """Which of the patches offered (S, K · C) looks likest in what is seen of each patch, and its mean cost; (M,)."""
    squares, best, cost = offered**2, np.empty(here.size, int), np.empty(here.size, np.float32)
    for start in range(0, here.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        places = here[part, None] + grid.around
        weight = np.repeat(seen[places], grid.pixels.shape[1], 1).astype(np.float32)
        patch = grid.pixels[places].reshape(weight.shape) * weight
        gaps = weight @ squares.T - 2 * patch @ offered.T + (patch**2).sum(1, keepdims=True)
        best[part] = gaps.argmin(1)
        cost[part] = gaps.min(1).clip(0) / weight.sum(1).clip(1)
    return best, cost


def _lifted(coarse: Grid, there: Plane, fine: Grid) -> Plane:
    """Take matches over to the grid twice as fine; where one sees the hole there, the known patch next to it."""
    rank = np.full(coarse.hole.size, -1)
    rank[coarse.here] = np.arange(coarse.here.size)
    (height, width), radius = fine.shape, fine.radius
    row, column = np.divmod(fine.here, width)
    nearest = _nearest(rank.reshape(coarse.shape) >= 0)
    up, left = nearest[:, np.minimum(row // 2, coarse.shape[0] - 1), np.minimum(column // 2, coarse.shape[1] - 1)]
    match = np.divmod(there[rank[up * coarse.shape[1] + left]], coarse.shape[1])
    row = (2 * match[0] + row - 2 * up).clip(radius, height - 1 - radius)
    column = (2 * match[1] + column - 2 * left).clip(radius, width - 1 - radius)
    row, column = _nearest(fine.known.reshape(fine.shape))[:, row, column]
    return np.asarray(row * width + column)


def _nearest(marked: Plane) -> Plane:
    """Row and column of the nearest mark, (2, H, W)."""
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(~marked, return_distances=False, return_indices=True))


def _close_seam(grid: Grid, there: Plane, channels: int) -> Plane:
    """The colours (H, W, C), spread into the hole what the matches would paint the known rim differently than it is."""
    hole = grid.hole.reshape(grid.shape)
    colours, around = grid.pixels.reshape(*grid.shape, -1)[..., :channels].copy(), near(hole, 1)
    says, _ = votes(grid, grid.here, there, unlikeness(grid, grid.here, there))
    step = (colours - says.reshape(*grid.shape, -1)[..., :channels]).clip(-SEAM, SEAM)
    place = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(around))
    inside = hole[place]
    colours[place][inside] += membrane(step[place], ~(around & ~hole)[place])[inside]
    return colours.clip(0, 1)

"""Where a photograph was folded, and the light that falls otherwise beside the crease: found, measured and undone.

A crease is a line through the whole picture, most of which is marked as hidden. Beside it paper turns to the light on
one side and away from it on the other: a density A tanh(a / u) exp(-|a| / w) at a distance a. What is pictured differs
by chance from one side to the other, and a shadow by as much all along the crease.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.pictures.contract import Images, Mask

Floats = NDArray[np.floating]
ANGLES = 180  # directions that are tried
FOLDS = 6  # creases of a picture at most
NEAR = 3.0  # units: how far from its straight line a crease wavers
COVERED = 0.25  # share of a line that is marked, from which it is a crease
SMALLEST = 96.0  # units: shorter sides hold too few places along a line to tell a crease from an edge
LONG = 0.5  # length of a crease at least, as a share of the shorter side
FEWEST, MOST = 30, 20_000  # marked pixels that are looked at
WIDTHS = (4.0, 6.0, 9.0, 13.0, 18.0, 25.0)  # units: of shadows
FIRST, LAST = 2.0, 36.0  # units: distances at which both sides are compared
STRETCH = 8.0  # units along a crease that tell as much as one independent place
SURE = 2.5  # standard errors that a shadow is above nothing
NEARLY, ALIKE = 0.5, 0.6  # so near to the usual step from side to side is this share of places: edges of things vary
SAME = 0.85  # or so many of them are darker on the same side
WEAKEST, DEEPEST = 0.025, 0.4  # densities
DARKEST = 4 / 255


class Crease(NamedTuple):
    """A crease: a straight line x cos(angle) + y sin(angle) = offset, in px, and how it wavers about it.

    Attributes:
        angle: of the normal, in radians.
        offset: px.
        along: (N,), places along the line, px, rising.
        away: (N,), how far off it the crease is there, px.
    """

    angle: float
    offset: float
    along: Floats
    away: Floats

    def distances(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """How far places are along the line, and from the crease, with a sign."""
        along = y * math.cos(self.angle) - x * math.sin(self.angle)
        away = x * math.cos(self.angle) + y * math.sin(self.angle) - self.offset
        return along, away - np.interp(along, self.along, self.away)


def creases(hidden: Mask, unit: float) -> list[Crease]:
    """Find the creases in what is marked as hidden (1, 1, H, W), longest first; sizes are told in a unit of px."""
    marked = hidden[0, 0].cpu().numpy() > 0
    found: list[Crease] = []
    if min(marked.shape) < SMALLEST * unit:
        return found
    row, column = (each.astype(np.float64) for each in np.nonzero(marked))
    some = slice(None, None, 1 + len(row) // MOST)
    row, column = row[some], column[some]
    while len(found) < FOLDS and len(row) >= FEWEST:
        crease = _straightest(column, row, marked.shape, unit)
        if crease is None:
            break
        found.append(crease)
        far = np.abs(crease.distances(column, row)[1]) > 2 * NEAR * unit
        row, column = row[far], column[far]
    return found


def fold_shadows(x: Images, hidden: Mask, unit: float) -> Tensor:
    """Measure the density of shadows beside creases, negative where they shine; 0 where there are none.

    Args:
        x: a picture (1, C, H, W).
        hidden: (1, 1, H, W), where scratches, dust and folds hide it.
        unit: px, in which marks are told.

    Returns:
        (1, 1, H, W).
    """
    density = -x[0].double().cpu().clamp(min=DARKEST).log().mean(0).numpy()
    seen = hidden[0, 0].cpu().numpy() == 0
    shadows = np.zeros_like(density)
    for crease in creases(hidden, unit):
        shadows += _shadow(density - shadows, seen, crease, unit)
    return torch.from_numpy(shadows).to(x)[None, None]


def _straightest(column: Floats, row: Floats, size: tuple[int, int], unit: float) -> Crease | None:
    """The line that most of what is marked lies on, if it is a crease."""
    best: tuple[float, float, float] | None = None
    reach = math.hypot(*size)
    for angle in np.pi * np.arange(ANGLES) / ANGLES:
        offsets = column * math.cos(angle) + row * math.sin(angle)
        counts, edges = np.histogram(offsets, bins=max(1, round(2 * reach / (NEAR * unit))), range=(-reach, reach))
        pairs = counts[1:] + counts[:-1]  # a crease may lie across a bin's edge
        if best is None or pairs.max() > best[0]:
            best = float(pairs.max()), float(angle), float(edges[int(pairs.argmax()) + 1])
    assert best is not None
    line = _straight(*best[1:])
    for near in (3 * NEAR, 2 * NEAR, 1.5 * NEAR):
        places, means, covered = _along(line, column, row, size, near * unit, unit)
        if len(places) < 4 or covered.sum() < 4:
            return None
        slope, middle = np.polyfit(places[covered], means[covered], 1)
        angle = line.angle - math.atan(slope)
        line = _straight(angle, (line.offset + middle) * math.cos(line.angle - angle))
    places, means, covered = _along(line, column, row, size, near * unit, unit)
    if len(places) * 2 * unit < LONG * min(size) or covered.mean() < COVERED:
        return None
    wavering = np.pad(np.interp(places, places[covered], means[covered]), 3, mode="edge")
    return line._replace(along=places, away=np.convolve(wavering, np.ones(7) / 7, mode="valid"))


def _straight(angle: float, offset: float) -> Crease:
    return Crease(angle, offset, np.zeros(1), np.zeros(1))


def _along(
    line: Crease, column: Floats, row: Floats, size: tuple[int, int], near: float, unit: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Places two units apart along a line, how far off it in the mean what is marked near there is, and if any is."""
    along, away = line.distances(column, row)
    low, high = _ends(line, size)
    places = np.arange(low, high, 2 * unit)
    numbers = np.searchsorted(places, along) - 1
    chosen = (np.abs(away) < near) & (numbers >= 0)
    counts = np.bincount(numbers[chosen], minlength=len(places))
    means = np.bincount(numbers[chosen], away[chosen], len(places)) / np.maximum(counts, 1)
    return places + unit, means, counts > 0


def _ends(line: Crease, size: tuple[int, int]) -> tuple[float, float]:
    """Where a straight line enters and leaves a picture, along it; the same place twice if it passes by."""
    across, down = math.cos(line.angle), math.sin(line.angle)
    low, high = -math.inf, math.inf
    for start, step, side in ((line.offset * across, -down, size[1]), (line.offset * down, across, size[0])):
        if abs(step) < 1e-9:
            if not 0 <= start <= side - 1:
                return 0.0, 0.0
            continue
        ends = sorted((-start / step, (side - 1 - start) / step))
        low, high = max(low, ends[0]), min(high, ends[1])
    return (low, high) if low < high else (0.0, 0.0)


def _shadow(density: Floats, seen: NDArray[np.bool_], crease: Crease, unit: float) -> Floats:
    """The density of the shadow beside a crease, (H, W); 0 if none is sure."""
    import cv2

    away = np.arange(FIRST, LAST + 1) * unit
    along = np.arange(crease.along[0], crease.along[-1], unit)
    wavering = np.interp(along, crease.along, crease.away)
    sides = []
    for side in (1, -1):
        from_line = crease.offset + wavering[:, None] + side * away
        column = from_line * math.cos(crease.angle) - along[:, None] * math.sin(crease.angle)
        row = from_line * math.sin(crease.angle) + along[:, None] * math.cos(crease.angle)
        there = (row >= 0) & (row <= len(density) - 1) & (column >= 0) & (column <= len(density[0]) - 1)
        at = (
            np.rint(row).clip(0, len(density) - 1).astype(int),
            np.rint(column).clip(0, len(density[0]) - 1).astype(int),
        )
        maps = column.astype(np.float32), row.astype(np.float32)
        values = cv2.remap(density.astype(np.float32), *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        sides.append(np.where(there & seen[at], values, np.nan))
    depth, width = _fitted(sides[0] - sides[1], away, unit)
    if depth == 0:
        return np.zeros_like(density)
    row, column = (each.astype(np.float64) for each in np.mgrid[: density.shape[0], : density.shape[1]])
    far = crease.distances(column, row)[1]
    return np.asarray(depth * np.tanh(far / unit) * np.exp(-np.abs(far) / width))


def _fitted(between: Floats, away: Floats, unit: float) -> tuple[float, float]:
    """The depth and the width in px of a shadow, from by how much denser one side is (places, distances)."""
    known, stretch = np.isfinite(between), round(STRETCH)  # places are a unit apart
    enough = known.sum(0) >= 4 * stretch
    if enough.sum() < 4:
        return 0.0, unit
    between, away = between[:, enough], away[enough]
    middle = np.nanmedian(between, 0)
    spread = 1.4826 * np.nanmedian(np.abs(between - middle), 0)
    error = 1.25 * spread / np.sqrt(np.isfinite(between).sum(0) / STRETCH) + 1e-3
    best: tuple[float, float, float, float] | None = None
    for width in np.array(WIDTHS) * unit:
        shapes = np.stack([2 * np.tanh(away / unit) * np.exp(-away / width), away / away[-1]], 1) / error[:, None]
        found, *_ = np.linalg.lstsq(shapes, middle / error, rcond=None)
        left = float(np.square(shapes @ found - middle / error).sum())
        if best is None or left < best[0]:
            best = left, float(found[0]), float(width), float(2 / error[0])
    assert best is not None
    _, depth, width, weight = best
    jump = abs(depth) * math.exp(-away[0] / width) * weight  # of what is nearest, in its standard errors
    nearest = between[: len(between) // stretch * stretch, :3].reshape(-1, 3 * stretch)
    beside = np.nanmedian(nearest[np.isfinite(nearest).any(1)], 1)
    usual = float(np.median(beside))
    alike = (np.abs(beside - usual) < NEARLY * abs(usual)).mean() >= ALIKE or (beside * depth > 0).mean() >= SAME
    sure = jump > SURE and usual * depth > 0 and alike and WEAKEST < abs(depth) < DEEPEST
    return (depth, width) if sure else (0.0, unit)


__all__ = ["Crease", "creases", "fold_shadows"]

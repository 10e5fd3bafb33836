"""Find scratches and dust on photographs: thin lines and small specks that stand out on both of their sides alike."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import brightness

Plane = np.ndarray[Any, np.dtype[Any]]
DIRECTIONS = 16
STROKE = 7  # px; length of the piece of a line that is compared with its sides
BESIDE = 4  # px away on each side
WIDEST = 2  # px; half the width, rounded down, of the widest line that is found at full size
FAINT = 0.05  # contrast that a line must have everywhere
RIDGE = 0.5  # of the highest contrast nearby, below which a pixel is beside the line
SHORTEST = 20  # px
TURN = 2  # directions by which a line may bend from one pixel to the next
WEIGHTS = np.array([1.07, 0.49, 1.35, -1.25, -1.35])  # fitted to 1902 scratches drawn on 130 photographs
BIAS = -8.4
GAP = 6  # px after which a scratch may go on
GOING_ON = 2.0  # by which the odds of what goes on may be lower
SPECK = 7  # px; the largest speck across
BRIGHT = 0.25  # contrast that a speck must have
LENIENT = 0.8  # strength for pictures that are known to have scratches
CALM = 0.03  # standard deviation around a speck, at most: in texture there are specks everywhere


class Lines(NamedTuple):
    """Lines through each pixel, (H, W): contrast with the likest side, how unlike the sides are, and direction."""

    contrast: Plane
    sides: Plane
    direction: Plane


class Traces(NamedTuple):
    """Connected pixels of lines: rows, columns and the number (P,) of the line, and what describes the lines (L, 5)."""

    row: Plane
    column: Plane
    line: Plane
    looks: Plane


def scratches(x: Images, radius: int = WIDEST, strength: float = 0.5) -> Mask:
    """Mark scratches and dust, bright or dark.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: half the width of the widest scratch, in pixels; more is looked for in a reduced picture.
        strength: from 0, only what cannot be anything else, to 1, whatever might be one.

    Returns:
        (B, 1, H, W), 1 on scratches and a pixel around them.

    Source: danqing: lines that stand out on both sides, as F. Kokaram's film scratches, "Motion picture restoration",
    1998, chapter 8, but of any direction; judged by a logistic regression
    on width, length, contrast, sides and bend.
    """
    planes = [_marked(plane, max(1.0, radius / WIDEST), strength) for plane in brightness(x)[:, 0].cpu().numpy()]
    return torch.from_numpy(np.stack(planes)).float()[:, None].to(x.device)


def _marked(plane: Plane, reduction: float, strength: float) -> Plane:
    """Scratches and dust (H, W), bool, in a brightness (H, W)."""
    import cv2

    small = tuple(max(1, round(side / reduction)) for side in plane.shape[::-1])
    light = cv2.resize(plane, small, interpolation=cv2.INTER_AREA) if reduction > 1 else np.ascontiguousarray(plane)
    found = np.zeros(light.shape, np.uint8)
    for lines in standing_out(light):
        traces = traced(lines)
        kept = _kept(traces, 4 * (0.5 - strength), light.shape)[traces.line]
        found[traces.row[kept], traces.column[kept]] = 1
    found = cv2.dilate(found | _specks(light, strength), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.resize(found, plane.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def standing_out(light: Plane) -> tuple[Lines, Lines]:
    """What is brighter, and what is darker, than both of its sides in a brightness (H, W)."""
    import cv2

    found = [Lines(*np.full((3, *light.shape), -1, np.float32)) for _ in range(2)]
    for number in range(DIRECTIONS):
        angle = math.pi * number / DIRECTIONS
        along = np.array([math.sin(angle), math.cos(angle)])
        mean = cv2.filter2D(light, -1, _stroke(along), borderType=cv2.BORDER_REFLECT)
        down, right = np.rint(BESIDE * np.array([along[1], -along[0]])).astype(int)
        wide = np.pad(mean, BESIDE, mode="edge")
        one, other = (_moved(wide, sign * down, sign * right) for sign in (1, -1))
        high, low = np.maximum(one, other), np.minimum(one, other)
        for lines, contrast in zip(found, (mean - high, low - mean), strict=True):
            better = contrast > lines.contrast
            for plane, new in zip(lines, (contrast, high - low, np.full(light.shape, number)), strict=True):
                plane[better] = new[better]
    window, spot = (np.ones((side, side), np.uint8) for side in (2 * WIDEST + 3, 3))
    for lines, way in zip(found, (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT), strict=True):
        np.minimum(lines.contrast, cv2.dilate(cv2.morphologyEx(light, way, window), spot), out=lines.contrast)
    return found[0], found[1]


def _stroke(along: Plane) -> Plane:
    """A mean along a line of STROKE pixels through the middle, as a filter."""
    reach = STROKE // 2 + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-(STROKE - 1) / 2, (STROKE - 1) / 2, 4 * STROKE):
        row, column = reach + step * along
        top, left = math.floor(row), math.floor(column)
        for y, x in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            kernel[y, x] += (1 - abs(row - y)) * (1 - abs(column - x))
    return np.asarray(kernel / kernel.sum())


def _moved(wide: Plane, down: int, right: int) -> Plane:
    """A plane with BESIDE pixels around it, seen from another place."""
    height, width = (size - 2 * BESIDE for size in wide.shape)
    return wide[BESIDE + down : BESIDE + down + height, BESIDE + right : BESIDE + right + width]


def traced(lines: Lines) -> Traces:
    """Follow lines from pixel to pixel as long as they hardly turn, so that lines may cross; leave out short ones."""
    import cv2
    from scipy.sparse import coo_matrix, csgraph

    highest = cv2.dilate(lines.contrast, np.ones((2 * BESIDE - 1, 2 * BESIDE - 1), np.uint8))
    row, column = np.nonzero((lines.contrast > FAINT) & (lines.contrast > RIDGE * highest))
    rank = np.pad(np.full(lines.contrast.shape, -1), 1, constant_values=-1)
    rank[row + 1, column + 1] = np.arange(row.size)
    direction, pairs = lines.direction[row, column].astype(int), []
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        beside = rank[row + 1 + down, column + 1 + right]
        turn = abs(direction - direction[beside])
        going_on = (beside >= 0) & (np.minimum(turn, DIRECTIONS - turn) <= TURN)
        pairs.append(np.stack([np.flatnonzero(going_on), beside[going_on]]))
    start, end = np.concatenate(pairs, 1) if row.size else np.zeros((2, 0), int)
    graph = coo_matrix((np.ones(start.size), (start, end)), (row.size, row.size))
    count, line = csgraph.connected_components(graph, directed=False) if row.size else (0, row)
    length = np.hypot(_extent(row, line, count), _extent(column, line, count)) + 1
    number = np.cumsum(length >= SHORTEST) - 1
    long = (length >= SHORTEST)[line]
    row, column, line = row[long], column[long], number[line[long]]
    return Traces(row, column, line, _looks(lines, row, column, line, length[length >= SHORTEST]))


def _extent(places: Plane, line: Plane, count: int) -> Plane:
    """How far each line reaches along an axis, (L,)."""
    first, last = np.full(count, np.iinfo(int).max), np.full(count, -1)
    np.minimum.at(first, line, places)
    np.maximum.at(last, line, places)
    return np.asarray(last - first)


def _looks(lines: Lines, row: Plane, column: Plane, line: Plane, length: Plane) -> Plane:
    """What describes each line, (L, 5): width, and logarithms of length, contrast, unevenness of sides, and bend."""
    area, turn = np.bincount(line, minlength=length.size), 2 * math.pi * lines.direction[row, column] / DIRECTIONS
    contrast, sides, sine, cosine = (
        np.bincount(line, values, length.size) / area
        for values in (lines.contrast[row, column], lines.sides[row, column], np.sin(turn), np.cos(turn))
    )
    bend = 1.01 - np.hypot(sine, cosine)
    logarithms = np.log([length, contrast + 0.01, sides / contrast + 0.05, bend])
    return np.concatenate([area[None] / length, logarithms]).T


def likely(looks: Plane) -> Plane:
    """How likely lines (L, 5) are scratches, as the logarithm of odds, (L,)."""
    return np.asarray(looks @ WEIGHTS + BIAS)


def _kept(traces: Traces, odds: float, shape: tuple[int, ...]) -> Plane:
    """Which lines are scratches (L,), bool: those that look so, and less likely ones that go on from them."""
    import cv2

    likelihood = likely(traces.looks)
    sure, side = likelihood > odds, 2 * GAP + 1
    marked = np.zeros(shape, np.uint8)
    marked[traces.row[sure[traces.line]], traces.column[sure[traces.line]]] = 1
    beside = cv2.dilate(marked, np.ones((side, side), np.uint8))[traces.row, traces.column] > 0
    touching = np.bincount(traces.line, beside, likelihood.size) > 0
    return np.asarray(sure | (touching & (likelihood > odds - GOING_ON)))


def _specks(light: Plane, strength: float) -> Plane:
    """Dust: small specks on calm ground, (H, W), 0 or 1."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (SPECK + 2, SPECK + 2))
    found = np.zeros(light.shape, np.uint8)
    for sign in (1, -1):
        ground = sign * cv2.morphologyEx(sign * light, cv2.MORPH_OPEN, disc)
        around = (4 * SPECK + 1,) * 2
        mean = cv2.blur(ground, around)
        spread = np.sqrt(np.maximum(cv2.blur(ground * ground, around) - mean * mean, 0))
        height = sign * (light - ground)
        marks = (height > FAINT).astype(np.uint8)
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
        top, unrest = np.zeros(count), np.zeros(count)
        np.maximum.at(top, labels.ravel(), height.ravel())
        np.maximum.at(unrest, labels.ravel(), spread.ravel())
        small = boxes[:, 2:4].max(1) <= SPECK
        found |= (small & (top > BRIGHT / (0.5 + strength)) & (unrest < CALM) & (np.arange(count) > 0))[labels]
    return found

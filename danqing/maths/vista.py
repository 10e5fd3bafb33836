"""What a person sees who looks over a surface of heights: slopes in the sun, water, haze, and clouds above."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from danqing.core.progress import Job, Progress
from danqing.maths.terrain import ground_at

Plane = np.ndarray[Any, np.dtype[Any]]
RELIEF = 0.21  # height of the highest peak, in sides
WIDE = 1.2  # of what is seen at a distance of 1
HORIZON = 0.42  # of the picture's height above it
NEAR, FAR, STEPS = 0.02, 2.6, 1200  # distances at which rays meet the land, in sides of the surface
OPEN = 0.22  # the eye stands above all land so near
ABOVE = 0.035
SUN = np.array([-0.72, 0.30, 0.42])  # from the left, a little from behind
SHINE, SKYLIGHT = np.array([1.22, 1.10, 0.90]), np.array([0.30, 0.36, 0.46])
HAZE, ZENITH = np.array([0.78, 0.85, 0.93]), np.array([0.22, 0.42, 0.76])
CLOUD = np.array([1.0, 0.99, 0.97])
CEILING = 0.35  # how far above the eye clouds are, in sides
ROCK, DEEP = np.array([0.36, 0.33, 0.30]), np.array([0.02, 0.10, 0.17])
GRAINS = ((9.0, 0.5), (37.0, 0.5))  # how much finer than the surface, and how steep, what grows on it is
BROAD = 256  # so many slopes side by side
BARE = (0.70, 1.15)  # how steep land is that begins to be bare rock, and that is nothing else
TOGETHER = 1 << 18  # pixels that are looked at together
SMOOTH = 2  # rays side by side, and one above the other, for each pixel


class _Land(NamedTuple):
    """A surface without end, looked at from one place: the eye is at (0.5, 0), and looks towards smaller y."""

    height: Plane  # in sides, with the sea
    level: Plane  # as it was, 0…1
    down: Plane  # slopes
    right: Plane
    steep: Plane  # how steep it is, over what a person would call a slope
    lit: Plane  # 1 in the sun, 0 in shadow
    cover: Plane  # of clouds
    water: float
    eye: float


def seen(surface: Plane, water: float, rows: int, columns: int, clouds: Plane) -> Job[Plane]:
    """What a person sees who looks over a surface (S, S) in 0…1 that repeats without end.

    Args:
        surface: heights.
        water: how high the sea stands.
        rows: height of the picture.
        columns: its width.
        clouds: a surface (S, S) in 0…1, thick where it is high.

    Returns:
        A job with the picture, (rows, columns, 3).

    Source: danqing; rays are marched from near to far, as by Musgrave 1988, "Grid tracing: fast ray tracing for height
    fields", all of a column at once.
    """
    land = _land(surface, water, clouds)
    strip = max(1, TOGETHER // (rows * SMOOTH * SMOOTH))
    parts = []
    for left in range(0, columns, strip):
        yield Progress(left, columns, "looking over the land")
        parts.append(_strip(land, rows, columns, left, min(left + strip, columns)))
    return np.concatenate(parts, 1)


def _land(surface: Plane, water: float, clouds: Plane) -> _Land:
    from scipy import ndimage

    side = len(surface)
    height = (np.maximum(surface, water) * RELIEF).astype(np.float32)
    down, right = ((np.roll(height, -1, axis) - np.roll(height, 1, axis)) * side / 2 for axis in (0, 1))
    ahead = height[-round(OPEN * side) :, side // 2 - side // 12 : side // 2 + side // 12]
    steep = np.hypot(*(ndimage.uniform_filter(each, 2 * (side // BROAD) + 1, mode="wrap") for each in (down, right)))
    return _Land(height, surface, down, right, steep, _lit(height), clouds, water, float(ahead.max()) + ABOVE)


def _lit(height: Plane) -> Plane:
    """Where the sun reaches, 0…1: nothing between rises above its ray."""
    side, climb = len(height), SUN[2] / np.hypot(SUN[0], SUN[1])
    steepest = np.full_like(height, -np.inf)
    for distance in np.cumsum(1.25 ** np.arange(24)):
        right, down = (round(distance * part / np.hypot(SUN[0], SUN[1])) for part in SUN[:2])
        step = max(np.hypot(right, down), 1.0) / side
        steepest = np.maximum(steepest, (np.roll(height, (-down, -right), (0, 1)) - height) / step)
    return _between(climb + 0.08, climb - 0.08, steepest).astype(np.float32)


def _strip(land: _Land, rows: int, columns: int, left: int, right: int) -> Plane:
    """The columns from left to right of the picture, (rows, right − left, 3)."""
    high, wide = rows * SMOOTH, (right - left) * SMOOTH
    focus = columns * SMOOTH / WIDE
    across = ((left * SMOOTH + np.arange(wide) + 0.5) / (columns * SMOOTH) - 0.5) * WIDE
    slope = (np.arange(high) + 0.5 - HORIZON * high) / focus  # of each row's rays, downwards
    distance = _met(land, across, slope)
    hit = np.isfinite(distance)
    picture = np.empty((high, wide, 3), np.float32)
    at = np.broadcast_to(across, hit.shape), np.broadcast_to(slope[:, None], hit.shape)
    picture[hit] = _ground(land, distance[hit], at[0][hit], at[1][hit])
    picture[~hit] = _sky(land, at[0][~hit], -at[1][~hit])
    return np.asarray(picture.reshape(rows, SMOOTH, right - left, SMOOTH, 3).mean((1, 3)))


def _met(land: _Land, across: Plane, slope: Plane) -> Plane:
    """How far away rays (rows, columns) meet the land; infinite where they go into the sky."""
    distances = NEAR * (FAR / NEAR) ** (np.arange(STEPS) / (STEPS - 1))
    heights = _sampled(land.height, 0.5 + across[None] * distances[:, None], -distances[:, None])
    falls = (land.eye - heights) / distances[:, None]  # of the ray that just meets each place
    highest = np.minimum.accumulate(falls, 0)
    met = np.full((len(slope), len(across)), np.inf)
    for column in range(len(across)):
        first = np.searchsorted(-highest[:, column], -slope)
        there = first < STEPS
        behind, before = first[there], np.maximum(first[there] - 1, 0)
        fall, sooner = falls[behind, column], falls[before, column]
        share = np.where(behind > before, (sooner - slope[there]) / np.maximum(sooner - fall, 1e-9), 0).clip(0, 1)
        met[there, column] = distances[before] + share * (distances[behind] - distances[before])
    return met


def _ground(land: _Land, distance: Plane, across: Plane, slope: Plane) -> Plane:
    """The colours (N, 3) of places at distances (N,)."""
    x, y = 0.5 + across * distance, -distance
    maps = land.level, land.down, land.right, land.steep, land.lit
    level, down, right, steep, lit = (_sampled(each, x, y) for each in maps)
    grain: Plane = np.zeros_like(level)
    for finer, rough in GRAINS:
        near = np.exp(-distance * finer / 6)  # what is smaller than a pixel is not seen
        down = down + near * rough * _sampled(land.down, finer * x, finer * y)
        right = right + near * rough * _sampled(land.right, finer * x, finer * y)
        grain = grain + near * (_sampled(land.level, finer * x, finer * y) - 0.5)
    colour = ground_at(level + 0.05 * grain, land.water) * (1 + 0.5 * grain)[:, None]
    colour = _mixed(colour, ROCK, _between(*BARE, steep + 0.4 * grain))
    normal = np.stack([-right, -down, np.ones_like(down)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sun = np.clip(normal @ (SUN / np.linalg.norm(SUN)), 0, 1) * lit
    colour = colour * (sun[:, None] * SHINE + (0.6 + 0.4 * normal[:, 2:]) * SKYLIGHT)
    wet = level < land.water
    colour[wet] = _sea(land, x[wet], y[wet], across[wet], slope[wet], (land.water - level)[wet])
    return _mixed(colour, HAZE, 1 - np.exp(-((distance / 1.5) ** 1.4)))


def _sea(land: _Land, x: Plane, y: Plane, across: Plane, slope: Plane, depth: Plane) -> Plane:
    """Water: what is below, and the sky in it, the more the flatter one looks."""
    ripple = 0.02 * _sampled(land.right, 50 * x, 90 * y) * np.exp(y * 3)
    steep = np.sin(np.arctan(np.hypot(slope, ripple)))
    mirror = 0.03 + 0.97 * (1 - steep) ** 5
    shallow = np.exp(-depth / 0.03)[:, None]
    return _mixed(DEEP + shallow * np.array([0.06, 0.22, 0.22]), _sky(land, across, slope + np.abs(ripple)), mirror)


def _sky(land: _Land, across: Plane, climb: Plane) -> Plane:
    """The sky (N, 3) along rays that climb."""
    climb = np.maximum(climb, 1e-3)
    colour = _mixed(np.broadcast_to(HAZE, (len(climb), 3)), ZENITH, (climb / 0.55).clip(0, 1) ** 0.7)
    distance = CEILING / climb
    x, y = 0.5 + 0.3 * across * distance, -0.3 * distance
    thick = _sampled(land.cover, x, y)
    sunwards = _sampled(land.cover, x + 0.02 * SUN[0], y + 0.02 * SUN[1])
    cover = _between(0.52, 0.82, thick) * np.exp(-distance / 5)
    white = CLOUD * (0.93 + (thick - sunwards)[:, None] * 2.0).clip(0.72, 1)
    return _mixed(colour, white, 0.92 * cover)


def _sampled(plane: Plane, x: Plane, y: Plane) -> Plane:
    """A plane that repeats without end, in between its pixels, at places in sides."""
    from scipy import ndimage

    at = np.broadcast_arrays(y * len(plane), x * len(plane))
    return np.asarray(ndimage.map_coordinates(plane, at, np.float64, order=1, mode="grid-wrap"))


def _between(none: float, whole: float, value: Plane) -> Plane:
    """0 at ``none``, 1 at ``whole``, and smoothly from one to the other."""
    share = ((value - none) / (whole - none)).clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def _mixed(one: Plane, other: Plane, share: Plane) -> Plane:
    return np.asarray(one + (other - one) * share[:, None])


__all__ = ["seen"]

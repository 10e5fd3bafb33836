"""Pictures by rule: gradient noise, cells, and patterns that react and diffuse. All are planes (H, W), float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.random import Generator

from danqing.core.progress import Job, Progress

Plane = np.ndarray[Any, np.dtype[Any]]
LACUNARITY = 2  # how much finer each octave is
SKEW, UNSKEW = (math.sqrt(3) - 1) / 2, (3 - math.sqrt(3)) / 6
SIMPLEX_GAIN = 70.0  # brings simplex noise to about -1…1


def perlin(height: int, width: int, scale: float, rng: Generator, tileable: bool = False) -> Plane:
    """One octave of gradient noise in about -1…1, in waves of ``scale`` px; tileable ones fit waves into the sides.

    Source: Perlin 2002, "Improving noise" (quintic fade), with gradients of unit length in any direction.
    """
    rows, columns = (max(1, round(side / scale)) for side in (height, width))
    y, x = (np.arange(height) + 0.5) / scale, (np.arange(width) + 0.5) / scale
    if tileable:
        y, x = (np.arange(height) + 0.5) * rows / height, (np.arange(width) + 0.5) * columns / width
    else:
        rows, columns = int(y[-1]) + 2, int(x[-1]) + 2
    angles = rng.uniform(0, 2 * math.pi, (rows, columns))
    top, left = y.astype(int), x.astype(int)
    down, right = (y - top)[:, None], (x - left)[None]
    corners = []
    for i in (0, 1):
        for j in (0, 1):
            angle = angles[np.ix_((top + i) % rows, (left + j) % columns)]
            corners.append(np.sin(angle) * (down - i) + np.cos(angle) * (right - j))
    fade_y, fade_x = (t**3 * (t * (6 * t - 15) + 10) for t in (down, right))
    above = corners[0] + fade_x * (corners[1] - corners[0])
    below = corners[2] + fade_x * (corners[3] - corners[2])
    return np.asarray((above + fade_y * (below - above)) * math.sqrt(2))


def simplex(height: int, width: int, scale: float, rng: Generator) -> Plane:
    """One octave of simplex noise in about -1…1: on triangles, so without the grid's two directions.

    Source: Perlin 2001, "Noise hardware"; Gustavson 2005, "Simplex noise demystified".
    """
    y, x = np.meshgrid((np.arange(height) + 0.5) / scale, (np.arange(width) + 0.5) / scale, indexing="ij")
    table = rng.permutation(4096)
    angles = rng.uniform(0, 2 * math.pi, 4096)
    i, j = np.floor(y + (x + y) * SKEW), np.floor(x + (x + y) * SKEW)
    t = (i + j) * UNSKEW
    dy, dx = y - (i - t), x - (j - t)
    lower = dy > dx
    total = np.zeros((height, width))
    for a, b, shift in ((0, 0, 0.0), (lower, ~lower, UNSKEW), (1, 1, 2 * UNSKEW)):
        py, px = dy - a + shift, dx - b + shift
        corner = table[(i.astype(int) + a + table[(j.astype(int) + b) % 4096]) % 4096]
        fall = np.clip(0.5 - py**2 - px**2, 0, None) ** 4
        total += fall * (np.sin(angles[corner]) * py + np.cos(angles[corner]) * px)
    return np.asarray(SIMPLEX_GAIN * total)


def octaves(
    kind: str, height: int, width: int, scale: float, count: int, persistence: float, rng: Generator, tileable: bool
) -> Plane:
    """Sum octaves of Perlin or simplex noise, each twice as fine and ``persistence`` as strong, in about -1…1."""
    total, strength, size = np.zeros((height, width)), 1.0, 0.0
    for octave in range(count):
        wave = scale / LACUNARITY**octave
        layer = simplex(height, width, wave, rng) if kind == "simplex" else perlin(height, width, wave, rng, tileable)
        total += strength * layer
        size += strength**2
        strength *= persistence
    return np.asarray(total / math.sqrt(size))


def cells(height: int, width: int, count: int, rng: Generator, tileable: bool) -> tuple[Plane, Plane]:
    """Scatter points; give each pixel the distances in px to the two nearest (H, W, 2), and the nearest's number.

    Source: Worley 1996, "A cellular texture basis function", section 2.
    """
    from scipy.spatial import cKDTree

    points = rng.uniform(0, 1, (count, 2)) * (height, width)
    places = np.moveaxis(np.asarray(np.mgrid[:height, :width]), 0, -1).reshape(-1, 2) + 0.5
    tree = cKDTree(points, boxsize=(height, width) if tileable else None)
    distance, which = tree.query(places, k=2)
    return distance.reshape(height, width, 2), which[:, 0].reshape(height, width)


def gray_scott(height: int, width: int, feed: float, kill: float, steps: int, rng: Generator) -> Job[Plane]:
    """Let two substances react and diffuse on a torus; give the second's concentration.

    Source: Pearson 1993, "Complex patterns in a simple system", eq. 1; the nine-point Laplacian and rates of
    diffusion (1 and 0.5 of it a step): Sims 2013, "Reaction-diffusion tutorial".
    """
    import cv2

    u, v = np.ones((height, width), np.float32), np.zeros((height, width), np.float32)
    for row, column in rng.integers(0, (height, width), (max(1, height * width // 1500), 2)):
        rows, columns = np.arange(row, row + 9) % height, np.arange(column, column + 9) % width
        u[np.ix_(rows, columns)], v[np.ix_(rows, columns)] = 0, 1
    kernel = np.array([[0.05, 0.2, 0.05], [0.2, -1, 0.2], [0.05, 0.2, 0.05]], np.float32)
    for step in range(steps):
        if step % 100 == 0:
            yield Progress(step, steps, "reacting")
        spread_u, spread_v = (cv2.filter2D(np.pad(each, 1, mode="wrap"), -1, kernel)[1:-1, 1:-1] for each in (u, v))
        made = u * v * v
        u = u + spread_u - made + feed * (1 - u)
        v = v + 0.5 * spread_v + made - (feed + kill) * v
    return v.astype(np.float64)


def fractal(side: int, roughness: float, rng: Generator, tileable: bool = True) -> Plane:
    """A surface of fractional Brownian motion (side, side) in 0…1; it wraps, unless the half of a larger one is cut.

    Args:
        side: px.
        roughness: 0 (smooth hills) … 1 (crags): 1 minus the Hurst exponent.
        rng: source of chance.
        tileable: whether opposite edges meet.

    Source: Voss 1985, "Random fractal forgeries" (spectral synthesis).
    """
    whole = side if tileable else 2 * side
    rows, columns = np.fft.fftfreq(whole)[:, None], np.fft.rfftfreq(whole)[None]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((whole, whole))) * frequency ** -(2 - roughness)
    surface = np.fft.irfft2(spectrum, (whole, whole))[:side, :side]
    return np.asarray((surface - surface.min()) / max(float(np.ptp(surface)), 1e-12))

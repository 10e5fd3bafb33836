"""How a surface of heights looks: lit from above as a map, or from where a person stands."""

from __future__ import annotations

from typing import Any

import numpy as np

Plane = np.ndarray[Any, np.dtype[Any]]
GROUND = np.array([
    (0.00, 0.03, 0.10, 0.25), (0.98, 0.13, 0.36, 0.50), (1.00, 0.76, 0.70, 0.50), (1.06, 0.33, 0.47, 0.20),
    (1.35, 0.16, 0.30, 0.13), (1.60, 0.38, 0.34, 0.30), (1.80, 0.50, 0.47, 0.45), (1.90, 0.95, 0.96, 0.98),
    (2.00, 1.00, 1.00, 1.00),
])  # fmt: skip
SUN = np.array([-0.6, -0.5, 0.62])  # from the upper left
RELIEF = 0.35  # height of the highest peak, in sides
FAR, NEAR, STEPS = 1.6, 0.05, 400
HAZE = np.array([0.80, 0.86, 0.93])
ZENITH = np.array([0.35, 0.55, 0.85])


def coloured(height: Plane, water: float) -> Plane:
    """Colours (H, W, 3) of heights (H, W) in 0…1: sea, sand, grass, wood, rock and snow, lit by the sun."""
    level = np.where(height < water, height / max(water, 1e-6), 1 + (height - water) / max(1 - water, 1e-6))
    ground = np.stack([np.interp(level, GROUND[:, 0], GROUND[:, channel]) for channel in (1, 2, 3)], -1)
    solid = np.maximum(height, water) * RELIEF * len(height)
    down, right = (np.roll(solid, -1, axis) - np.roll(solid, 1, axis) for axis in (0, 1))
    normal = np.stack([-right / 2, -down / 2, np.ones_like(solid)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.clip(normal @ (SUN / np.linalg.norm(SUN)), 0, 1)
    return np.asarray(np.clip(ground * (0.35 + 0.95 * light[..., None]), 0, 1))


def seen(height: Plane, colours: Plane, water: float, rows: int, columns: int) -> Plane:
    """What a person sees (rows, columns, 3) who looks over a surface that repeats without end.

    Columns are filled from near to far, each distance hiding what is behind it.

    Source: the painter's way of NovaLogic's "voxel space" (1992), from front to back.
    """
    side = len(height)
    solid = np.maximum(height, water) * RELIEF
    eye = float(solid[:, side // 2 - 4 : side // 2 + 4].mean()) + 0.12
    sky = np.linspace(0, 1, rows)[:, None, None] ** 0.7
    picture = np.broadcast_to(ZENITH + (HAZE - ZENITH) * sky, (rows, columns, 3)).copy()
    top = np.full(columns, rows)
    across = (np.arange(columns) + 0.5) / columns - 0.5
    below = np.arange(rows)[:, None]
    for distance in NEAR * (FAR / NEAR) ** (np.arange(STEPS) / (STEPS - 1)):
        y = np.full(columns, int(-distance * side)) % side
        x = ((0.5 + across * distance * 1.2) * side).astype(int) % side
        at = ((eye - solid[y, x]) / distance * 0.8 * rows + 0.36 * rows).astype(int).clip(0, rows)
        haze = min(1.0, (distance / FAR) ** 1.5)
        paint = colours[y, x] * (1 - haze) + HAZE * haze
        fresh = (below >= at) & (below < top)
        picture = np.where(fresh[..., None], paint[None], picture)
        top = np.minimum(top, at)
    return picture

"""How a surface of heights looks from above, as a map."""

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


def coloured(height: Plane, water: float) -> Plane:
    """Colours (H, W, 3) of heights (H, W) in 0…1: sea, sand, grass, wood, rock and snow, lit by the sun."""
    ground = ground_at(height, water)
    solid = np.maximum(height, water) * RELIEF * len(height)
    down, right = (np.roll(solid, -1, axis) - np.roll(solid, 1, axis) for axis in (0, 1))
    normal = np.stack([-right / 2, -down / 2, np.ones_like(solid)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.clip(normal @ (SUN / np.linalg.norm(SUN)), 0, 1)
    return np.asarray(np.clip(ground * (0.35 + 0.95 * light[..., None]), 0, 1))


def ground_at(height: Plane, water: float) -> Plane:
    """What is at heights (…) in 0…1, in an even light: colours (…, 3)."""
    level = np.where(height < water, height / max(water, 1e-6), 1 + (height - water) / max(1 - water, 1e-6))
    return np.stack([np.interp(level, GROUND[:, 0], GROUND[:, channel]) for channel in (1, 2, 3)], -1)

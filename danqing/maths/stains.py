"""Stains as paper takes them: water with its dark rim, tea, foxing, and ink; and how the transparent ones are undone.

What is transparent adds density, y = x exp(-D), more of it in blue than in red; ink hides. Sizes are told in units of
the picture, see :mod:`danqing.maths.ageing`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.pictures.contract import Images
from danqing.maths.damage import filled
from danqing.maths.surface import Mark, Plane, Surface, blob, cloud, depths

BROWN, RUST = (
    (0.35, 0.6, 1.0),
    (0.3, 0.65, 1.0),
)  # density of tea, and of foxing, in red, green and blue
GREY = 0.6  # the same in a picture without colour
INKS = ((0.05, 0.07, 0.2), (0.06, 0.06, 0.06), (0.22, 0.12, 0.06))  # blue, black, and iron gall grown brown
KINDS = (0.35, 0.25, 0.28, 0.12)  # how often water, tea, foxing and ink come
WHITE = 254.5 / 255
SHINE = 0.01  # density below nothing, from which a place shines
UNSURE = 0.15  # standard deviation of a tint


def draw_stain(surface: Surface) -> None:
    """Draw one stain of any kind: foxing is a group of spots, ink a blot and its splashes."""
    _DRAWN[int(surface.random.choice(len(KINDS), p=KINDS))](surface)


def unstained(x: Images, density: Tensor) -> Images:
    """Give pictures (B, C, H, W) back the light that a density (B, 1 or C, H, W) took: y = x exp(D), at most white.

    Where a shine (D < 0) had made a channel white, its light is no longer known but to be at least exp(D): it is
    filled from around, or what was orange would grow green.
    """
    made = (x * density.exp()).clamp(0, 1)
    lost = ((x >= WHITE) & (density < -SHINE)).to(x)
    if not bool(lost.any()):
        return made
    planes = made.flatten(0, 1)[:, None], lost.flatten(0, 1)[:, None]
    return torch.maximum(filled(*planes).view_as(made), made)


def _water(surface: Surface) -> None:
    """A tide: little within, and at its edge what the water carried there, falling off inwards."""
    random, unit = surface.random, surface.unit
    radius = unit * random.uniform(20, 110)
    place, depth = depths(surface, _somewhere(surface, 0.2), radius, random.uniform(0.2, 0.6), 2)
    depth = depth + 1.5 * cloud(surface, 6)[place]
    within = np.clip(0.5 + depth / 1.5, 0, 1)
    rim = random.uniform(0.15, 0.7) * np.exp(-np.clip(depth, 0, None) / random.uniform(1.5, 7))
    ground = random.uniform(0, 0.2) * (1 + 0.5 * cloud(surface, 30)[place])
    _dim(surface, Mark(place, (within * (rim + ground.clip(0))).astype(np.float32)), BROWN)


def _tea(surface: Surface) -> None:
    """A brown patch, denser towards its rim or not, uneven within, its edge hard or soft."""
    random, unit = surface.random, surface.unit
    radius = unit * random.uniform(15, 90)
    soft = random.uniform(0.04, 0.3) * radius / unit + 1
    place, inside = blob(surface, _somewhere(surface), radius, 0.3, soft)
    rim = inside * (1 - inside) * 4
    uneven = (1 + random.uniform(0, 0.5) * cloud(surface, 20)[place]).clip(0)
    density = random.uniform(0.12, 0.8) * (random.uniform(0.4, 1) * inside * uneven + random.uniform(0, 0.6) * rim)
    _dim(surface, Mark(place, density.astype(np.float32)), BROWN)


def _foxing(surface: Surface) -> None:
    """Rusty spots with soft edges, a dozen or two, in one part of the picture."""
    random, unit = surface.random, surface.unit
    middle, spread = _somewhere(surface), unit * random.uniform(15, 150)
    tint = _tint(surface, RUST)
    for _ in range(int(random.integers(6, 40))):
        radius = unit * math.exp(random.uniform(math.log(1.2), math.log(8)))
        place, depth = depths(surface, random.normal(middle, spread), radius, 0.4, 0)
        bump = (depth * unit / radius).clip(0, 1)
        density = random.uniform(0.15, 0.8) * bump * (2 - bump)
        surface.stain(Mark(place, density.astype(np.float32)), tint)


def _ink(surface: Surface) -> None:
    """A blot that hides nearly all, and some splashes about it."""
    random, unit = surface.random, surface.unit
    middle, radius = _somewhere(surface), unit * random.uniform(4, 18)
    opacity = random.uniform(0.85, 1)
    ink = np.array(INKS[random.integers(len(INKS))], np.float32)
    colour = ink if surface.pixels.shape[2] == 3 else ink.mean(keepdims=True)
    for at in range(1 + int(random.integers(0, 6))):
        here = middle if not at else random.normal(middle, 2.5 * radius)
        size = radius if not at else unit * random.uniform(0.8, 4)
        place, inside = blob(surface, here, size, 0.5, 1.5)
        surface.cover(Mark(place, opacity * inside), colour)
        inked = surface.inked[place]
        np.maximum(inked, opacity * inside, out=inked)


def _dim(surface: Surface, mark: Mark, tint: tuple[float, ...]) -> None:
    surface.stain(mark, _tint(surface, tint))


def _tint(surface: Surface, tint: tuple[float, ...]) -> Plane:
    """About a tint, its densest channel 1."""
    if surface.pixels.shape[2] == 1:
        return np.array([GREY], np.float32)
    about = np.array(tint) * np.exp(surface.random.normal(0, UNSURE, 3))
    return np.asarray(about / about.max(), np.float32)


def _somewhere(surface: Surface, beyond: float = 0.0) -> NDArray[np.float64]:
    """A place as x, y, up to a share of the sides outside."""
    height, width = surface.size
    return surface.random.uniform(-beyond, 1 + beyond, 2) * (width, height)


_DRAWN = (_water, _tea, _foxing, _ink)

__all__ = ["BROWN", "draw_stain", "unstained"]

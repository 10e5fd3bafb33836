"""A photograph's surface, on which what years leave is drawn: marks that hide, and densities that dim or brighten."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Random = np.random.Generator
Place = tuple[slice, slice]
EVERYWHERE: Place = (slice(None), slice(None))
FINE = 3  # times finer are lines drawn, and then averaged: their edges are soft
WAVES = 4  # that make an edge uneven
BRIGHT = 0.7  # share of marks that are brighter than anything: the paper under the emulsion


class Mark(NamedTuple):
    """What lies on a part of a picture: where (rows and columns), and how much of it (h, w) there, in 0…1."""

    place: Place
    amount: Plane


class Surface:
    """A picture on which marks are drawn, and what becomes of it.

    Attributes:
        pixels: (H, W, C).
        unit: px, in which sizes are told.
        random: draws the marks.
        hidden: (H, W), the opacity of what hides the picture, in 0…1.
        inked: (H, W), that of ink alone.
        stained: (H, W, C), density of stains.
        shaded: (H, W), density of shadows beside folds, negative where they shine.
    """

    def __init__(self, pixels: Plane, unit: float, random: Random) -> None:
        self.pixels, self.unit, self.random = pixels.copy(), unit, random
        self.hidden, self.inked, self.shaded = np.zeros((3, *pixels.shape[:2]), np.float32)
        self.stained: Plane = np.zeros_like(self.pixels)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.pixels), len(self.pixels[0])

    def cover(self, mark: Mark, colour: float | Plane) -> None:
        """Hide what is under a mark of a colour."""
        pixels, hidden = self.pixels[mark.place], self.hidden[mark.place]
        pixels += mark.amount[..., None] * (colour - pixels)
        np.maximum(hidden, mark.amount, out=hidden)

    def stain(self, mark: Mark, tint: Plane) -> None:
        """Dim what is under a mark, whose amount is a density, by as much in each channel as a tint (C,) says."""
        density = mark.amount[..., None] * tint
        self.pixels[mark.place] *= np.exp(-density)
        self.stained[mark.place] += density

    def shade(self, density: Plane) -> None:
        """Dim all of the picture by a density (H, W), alike in all channels."""
        self.pixels *= np.exp(-density)[..., None]
        self.shaded += density

    def window(self, points: NDArray[np.float64], margin: float) -> Place:
        """The rows and columns of the picture that points (N, 2) as x, y come near to; at least one of each."""
        sides = np.array(self.size[::-1])
        start = np.clip(np.floor(points.min(0) - margin), 0, sides - 1).astype(int)
        end = np.clip(np.ceil(points.max(0) + margin) + 1, start + 1, sides).astype(int)
        return slice(start[1], end[1]), slice(start[0], end[0])

    def colour(self) -> float:
        """That of a scratch or of dust: bright or dark."""
        return self.random.uniform(0.75, 1) if self.random.random() < BRIGHT else self.random.uniform(0, 0.2)


def line(surface: Surface, path: NDArray[np.float64], width: float, opacity: NDArray[np.float64]) -> Mark:
    """A line through places (N, 2) as x, y; its opacity (N,) at each of them."""
    import cv2

    place = surface.window(path, width / 2 + 2)  # half of it, and what rounding adds
    height, wide = (each.stop - each.start for each in place)
    canvas = np.zeros((FINE * height, FINE * wide), np.float32)
    points = np.rint(FINE * path).astype(np.int32) - FINE * np.array([place[1].start, place[0].start], np.int32)
    for start, end, value in zip(points[:-1], points[1:], opacity[1:].tolist(), strict=True):
        cv2.line(canvas, start.tolist(), end.tolist(), value, max(1, round(FINE * width)))
    return Mark(place, np.asarray(cv2.resize(canvas, (wide, height), interpolation=cv2.INTER_AREA), np.float32))


def blob(surface: Surface, middle: NDArray[np.float64], radius: float, uneven: float, soft: float) -> Mark:
    """A round thing with an uneven edge that is ``soft`` units wide: 1 inside, 0 outside."""
    place, depth = depths(surface, middle, radius, uneven, soft)
    return Mark(place, np.asarray(np.clip(0.5 + depth / soft, 0, 1), np.float32))


def depths(surface: Surface, middle: NDArray[np.float64], radius: float, uneven: float, margin: float) -> Mark:
    """How far inside a round thing with an uneven edge places are, in units; outside, which ``margin`` units of are
    told, it is negative.
    """
    phases = surface.random.uniform(0, 2 * math.pi, WAVES)
    widest = radius * (1 + uneven / 2 * sum(1 / (at + 1) for at in range(WAVES))) + margin * surface.unit
    place = surface.window(middle[None], widest)
    row, column = np.mgrid[place].astype(np.float32)
    down, right = row - middle[1], column - middle[0]
    turn = np.arctan2(down, right)
    waves = sum(np.cos((at + 1) * turn + phase) / (at + 1) for at, phase in enumerate(phases))
    edge = radius * (1 + uneven * waves / 2)
    squared = down * down + right * right
    return Mark(place, np.asarray((edge - np.sqrt(squared)) / surface.unit, np.float32))


def cloud(surface: Surface, size: float) -> Plane:
    """Smooth noise (H, W) of mean 0 and standard deviation about 0.5, whose spots are ``size`` units wide."""
    import cv2

    height, width = surface.size
    cells = [max(2, math.ceil(side / (size * surface.unit)) + 1) for side in (height, width)]
    noise = surface.random.normal(0, 0.6, cells).astype(np.float32)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


__all__ = ["BRIGHT", "EVERYWHERE", "Mark", "Place", "Plane", "Surface", "blob", "cloud", "depths", "line"]

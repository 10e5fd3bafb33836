"""What years do to a photograph's surface: scratches, dust, folds and stains, drawn at random.

A place is a picture's pixel hidden with an opacity a by a colour c, y = (1 - a) x + a c; a fold also bends the light,
and a stain adds density, y = x exp(-D w) with w = 0.35, 0.6 and 1 in red, green and blue, as tea and old glue do.
Sizes are told in units of the picture: its shorter side over 400, at least a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from danqing.core.pictures.contract import Images, Mask

Plane = NDArray[np.float32]
Random = np.random.Generator
Place = tuple[slice, slice]
EVERYWHERE: Place = (slice(None), slice(None))
FINE = 3  # times finer are lines drawn, and then averaged: their edges are soft
WAVES = 4  # that make an edge uneven
SEEN = 0.15  # opacity from which a place counts as hidden
UNITS = 400  # of the shorter side
BROWN = (0.35, 0.6, 1.0)  # of a stain's density, in red, green and blue
STRAIGHT = 0.35  # share of scratches that a film's guide or a ruler drew
BRIGHT = 0.7  # share of scratches that are brighter than anything: the paper under the emulsion


class Wear(NamedTuple):
    """How many marks of each kind a picture has."""

    scratches: int = 0
    dust: int = 0
    folds: int = 0
    stains: int = 0


class Worn(NamedTuple):
    """Pictures (B, C, H, W), what of them is hidden (B, 1, H, W), 0 or 1, and the density of stains (B, 1, H, W)."""

    x: Images
    hidden: Mask
    stained: Mask


class _Mark(NamedTuple):
    """What hides a part of a picture: where (rows and columns), and with what opacity (h, w) there."""

    place: Place
    opacity: Plane


class _Surface:
    """A picture (H, W, C) on which marks are drawn, and what they hide of it (H, W), in 0…1."""

    def __init__(self, pixels: Plane, unit: float, random: Random) -> None:
        self.pixels, self.unit, self.random = pixels.copy(), unit, random
        self.hidden: Plane = np.zeros(pixels.shape[:2], np.float32)
        self.stained: Plane = np.zeros(pixels.shape[:2], np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.pixels), len(self.pixels[0])

    def cover(self, mark: _Mark, colour: float) -> None:
        """Hide what is under a mark of a colour."""
        pixels, hidden = self.pixels[mark.place], self.hidden[mark.place]
        pixels += mark.opacity[..., None] * (colour - pixels)
        np.maximum(hidden, mark.opacity, out=hidden)

    def window(self, points: NDArray[np.float64], margin: float) -> Place:
        """The rows and columns of the picture that points (N, 2) as x, y come near to; at least one of each."""
        sides = np.array(self.size[::-1])
        start = np.clip(np.floor(points.min(0) - margin), 0, sides - 1).astype(int)
        end = np.clip(np.ceil(points.max(0) + margin) + 1, start + 1, sides).astype(int)
        return slice(start[1], end[1]), slice(start[0], end[0])

    def colour(self) -> float:
        """That of a scratch or of dust: bright or dark."""
        return self.random.uniform(0.75, 1) if self.random.random() < BRIGHT else self.random.uniform(0, 0.2)


def unit_of(height: int, width: int) -> float:
    """The size in pixels in which marks are told."""
    return max(1.0, min(height, width) / UNITS)


def worn(x: Images, wear: list[Wear], rng: Generator, unit: float | None = None) -> Worn:
    """Draw marks on pictures.

    Args:
        x: (B, C, H, W).
        wear: how many marks each picture has, B of them.
        rng: draws the marks.
        unit: px; by default that of :func:`unit_of`.

    Source: danqing. Scratches: 20…400 units long, 0.6…2.5 wide, mostly upright, with a heading that wanders and an
        opacity of 0.35…1 that comes and goes; one in three straight and even. Dust: specks of radius 0.6…3 and curled
        hairs 8…40 long. Folds run through the whole picture; their crack is 0.8…3 wide and broken, and light falls off
        by up to 0.1 beside it. Stains: blobs of radius 15…90 whose rim is denser, D = 0.1…0.5.
    """
    unit = unit_of(*x.shape[-2:]) if unit is None else unit
    seeds = torch.randint(2**62, (len(x),), generator=rng, device=rng.device).tolist()
    surfaces = []
    for picture, marks, seed in zip(x.cpu().permute(0, 2, 3, 1).numpy(), wear, seeds, strict=True):
        surface = _Surface(picture, unit, np.random.default_rng(seed))
        for draw, count in zip(_MARKS, (marks.stains, marks.folds, marks.scratches, marks.dust), strict=True):
            for _ in range(count):
                draw(surface)
        surfaces.append(surface)
    planes = [np.stack([getattr(each, name) for each in surfaces]) for name in ("pixels", "hidden", "stained")]
    pixels, hidden, stained = (torch.from_numpy(plane).to(x) for plane in planes)
    return Worn(pixels.permute(0, 3, 1, 2).clamp(0, 1).contiguous(), (hidden > SEEN).to(x)[:, None], stained[:, None])


def _scratch(surface: _Surface) -> None:
    random, unit = surface.random, surface.unit
    height, width = surface.size
    length = unit * math.exp(random.uniform(math.log(20), math.log(400)))
    heading = random.normal(0, 0.2) + math.pi / 2 if random.random() < 0.6 else random.uniform(0, math.pi)
    count = max(2, int(length / (4 * unit)))
    straight = random.random() < STRAIGHT
    turns = np.cumsum(random.normal(random.normal(0, 0.01), random.uniform(0.005, 0.08), count)) * (not straight)
    steps = 4 * unit * np.stack([np.cos(heading + turns), np.sin(heading + turns)], 1)
    path = np.cumsum(steps, 0)
    path += random.uniform(0, (width, height)) - path[random.integers(count)]
    wavering = 0.75 + 0.25 * np.sin(np.cumsum(random.normal(0, 0.3, count)))
    opacity = random.uniform(0.35, 1) * (np.ones(count) if straight else wavering)
    surface.cover(_line(surface, path, unit * random.uniform(0.6, 2.5), opacity), surface.colour())


def _speck(surface: _Surface) -> None:
    random, unit = surface.random, surface.unit
    height, width = surface.size
    place = random.uniform(0, (width, height))
    if random.random() < 0.25:  # a hair
        count = int(random.uniform(8, 40) / 2)
        turns = np.cumsum(random.normal(random.normal(0, 0.1), 0.15, count)) + random.uniform(0, 2 * math.pi)
        path = place + np.cumsum(2 * unit * np.stack([np.cos(turns), np.sin(turns)], 1), 0)
        mark = _line(surface, path, unit * random.uniform(0.7, 1.3), np.full(count, random.uniform(0.5, 1)))
    else:
        radius = unit * math.exp(random.uniform(math.log(0.6), math.log(3)))
        inside = _blob(surface, place, radius, 0.35, 0.7)
        mark = inside._replace(opacity=inside.opacity * random.uniform(0.5, 1))
    surface.cover(mark, surface.colour())


def _fold(surface: _Surface) -> None:
    random, unit = surface.random, surface.unit
    height, width = surface.size
    upright = random.random() < 0.5
    angle = (math.pi / 2 if upright else 0) + (
        random.normal(0, 0.06) if random.random() < 0.8 else random.normal(0, 0.6)
    )
    middle = random.uniform((0.1 * width, 0.1 * height), (0.9 * width, 0.9 * height))
    row, column = np.mgrid[:height, :width].astype(np.float32)
    away = ((row - middle[1]) * math.cos(angle) - (column - middle[0]) * math.sin(angle)) / unit
    away += 1.5 * _cloud(surface, 25)
    light = random.uniform(0.02, 0.1) * np.sign(random.normal()) * np.tanh(away) * np.exp(-np.abs(away) / 8)
    surface.pixels += light[..., None]
    broken = np.clip(0.5 + random.uniform(-0.3, 0.9) + _cloud(surface, 9), 0, 1)
    half = random.uniform(0.4, 1.5)
    opacity = np.clip(half + 0.5 - np.abs(away) + 0.4 * _cloud(surface, 3), 0, 1) * broken
    surface.cover(_Mark(EVERYWHERE, opacity.astype(np.float32)), random.uniform(0.75, 1))


def _stain(surface: _Surface) -> None:
    random, unit = surface.random, surface.unit
    height, width = surface.size
    radius = unit * random.uniform(15, 90)
    place, inside = _blob(surface, random.uniform(0, (width, height)), radius, 0.3, 0.08 * radius / unit + 1)
    rim = inside * (1 - inside) * 4
    density = random.uniform(0.1, 0.5) * (random.uniform(0.3, 1) * inside + random.uniform(0, 0.8) * rim)
    tint = np.array(BROWN if surface.pixels.shape[2] == 3 else [0.6], np.float32)
    surface.pixels[place] *= np.exp(-density[..., None] * tint)
    surface.stained[place] += density


def _line(surface: _Surface, path: NDArray[np.float64], width: float, opacity: NDArray[np.float64]) -> _Mark:
    """A line through places (N, 2) as x, y; its opacity (N,) at each of them."""
    import cv2

    place = surface.window(path, width / 2 + 2)  # half of it, and what rounding adds
    height, wide = (each.stop - each.start for each in place)
    canvas = np.zeros((FINE * height, FINE * wide), np.float32)
    points = np.rint(FINE * path).astype(np.int32) - FINE * np.array([place[1].start, place[0].start], np.int32)
    for start, end, value in zip(points[:-1], points[1:], opacity[1:].tolist(), strict=True):
        cv2.line(canvas, start.tolist(), end.tolist(), value, max(1, round(FINE * width)))
    return _Mark(place, np.asarray(cv2.resize(canvas, (wide, height), interpolation=cv2.INTER_AREA), np.float32))


def _blob(surface: _Surface, middle: NDArray[np.float64], radius: float, uneven: float, soft: float) -> _Mark:
    """A round thing with an uneven edge that is ``soft`` units wide: 1 inside, 0 outside."""
    phases = surface.random.uniform(0, 2 * math.pi, WAVES)
    widest = radius * (1 + uneven / 2 * sum(1 / (at + 1) for at in range(WAVES))) + soft * surface.unit
    place = surface.window(middle[None], widest)
    row, column = np.mgrid[place].astype(np.float32)
    down, right = row - middle[1], column - middle[0]
    turn = np.arctan2(down, right)
    waves = sum(np.cos((at + 1) * turn + phase) / (at + 1) for at, phase in enumerate(phases))
    edge = radius * (1 + uneven * waves / 2)
    squared = down * down + right * right
    inside = np.clip(0.5 + (edge - np.sqrt(squared)) / (soft * surface.unit), 0, 1)
    return _Mark(place, np.asarray(inside, np.float32))


def _cloud(surface: _Surface, size: float) -> Plane:
    """Smooth noise (H, W) of mean 0 and standard deviation about 0.5, whose spots are ``size`` units wide."""
    import cv2

    height, width = surface.size
    cells = [max(2, math.ceil(side / (size * surface.unit)) + 1) for side in (height, width)]
    noise = surface.random.normal(0, 0.6, cells).astype(np.float32)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC))


_MARKS: tuple[Callable[[_Surface], None], ...] = (_stain, _fold, _scratch, _speck)

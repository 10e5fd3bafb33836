"""What years do to a photograph's surface: scratches, dust, folds and stains, drawn at random.

A place is a picture's pixel hidden with an opacity a by a colour c, y = (1 - a) x + a c. Beside a fold paper turns to
the light on one side and away from it on the other, y = x exp(-D), D of either sign and alike in all channels; what a
stain does is told in :mod:`danqing.maths.stains`. Sizes are told in units of the picture: its shorter side over 400, at
least a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from danqing.core.pictures.contract import Images, Mask
from danqing.maths.stains import draw_stain
from danqing.maths.surface import EVERYWHERE, Mark, Surface, blob, cloud, line

SEEN = 0.15  # opacity from which a place counts as hidden
UNITS = 400  # of the shorter side
STRAIGHT = 0.35  # share of scratches that a film's guide or a ruler drew


class Wear(NamedTuple):
    """How many marks of each kind a picture has."""

    scratches: int = 0
    dust: int = 0
    folds: int = 0
    stains: int = 0


class Worn(NamedTuple):
    """Worn pictures, and what became of them.

    Attributes:
        x: (B, C, H, W).
        hidden: (B, 1, H, W), 1 where something hides them, ink as well.
        inked: (B, 1, H, W), 1 where ink does.
        stained: (B, C, H, W), the density of stains that light goes through.
        shaded: (B, 1, H, W), that of the shadows beside folds, negative where they shine.
    """

    x: Images
    hidden: Mask
    inked: Mask
    stained: Tensor
    shaded: Tensor


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
        hairs 8…40 long. Folds run through the whole picture; their crack is 0.8…3 wide and broken, and beside it lies
        a shadow, on its other side a shine, 5…25 wide and of a density of up to 0.3. Stains: a third are water's,
        radius 20…110, D = 0.15…0.7 at the rim; a quarter tea, 15…90, D = 0.12…0.8; as many foxing, 6…39 spots of radius
        1…8, D = 0.15…0.8; and one in eight ink.
    """
    unit = unit_of(*x.shape[-2:]) if unit is None else unit
    seeds = torch.randint(2**62, (len(x),), generator=rng, device=rng.device).tolist()
    surfaces = []
    for picture, marks, seed in zip(x.cpu().permute(0, 2, 3, 1).numpy(), wear, seeds, strict=True):
        surface = Surface(picture, unit, np.random.default_rng(seed))
        for draw, count in zip(_MARKS, (marks.stains, marks.folds, marks.scratches, marks.dust), strict=True):
            for _ in range(count):
                draw(surface)
        surfaces.append(surface)
    pixels, hidden, inked, stained, shaded = (
        torch.from_numpy(np.stack([getattr(each, name) for each in surfaces])).to(x)
        for name in ("pixels", "hidden", "inked", "stained", "shaded")
    )
    pixels, stained = (each.permute(0, 3, 1, 2) for each in (pixels, stained))
    hidden, inked = ((each > SEEN).to(x)[:, None] for each in (hidden, inked))
    return Worn(pixels.clamp(0, 1).contiguous(), hidden, inked, stained.contiguous(), shaded[:, None])


def _scratch(surface: Surface) -> None:
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
    surface.cover(line(surface, path, unit * random.uniform(0.6, 2.5), opacity), surface.colour())


def _speck(surface: Surface) -> None:
    random, unit = surface.random, surface.unit
    height, width = surface.size
    place = random.uniform(0, (width, height))
    if random.random() < 0.25:  # a hair
        count = int(random.uniform(8, 40) / 2)
        turns = np.cumsum(random.normal(random.normal(0, 0.1), 0.15, count)) + random.uniform(0, 2 * math.pi)
        path = place + np.cumsum(2 * unit * np.stack([np.cos(turns), np.sin(turns)], 1), 0)
        mark = line(surface, path, unit * random.uniform(0.7, 1.3), np.full(count, random.uniform(0.5, 1)))
    else:
        radius = unit * math.exp(random.uniform(math.log(0.6), math.log(3)))
        inside = blob(surface, place, radius, 0.35, 0.7)
        mark = inside._replace(amount=inside.amount * random.uniform(0.5, 1))
    surface.cover(mark, surface.colour())


def _fold(surface: Surface) -> None:
    random, unit = surface.random, surface.unit
    height, width = surface.size
    upright = random.random() < 0.5
    angle = (math.pi / 2 if upright else 0) + (
        random.normal(0, 0.06) if random.random() < 0.8 else random.normal(0, 0.6)
    )
    middle = random.uniform((0.1 * width, 0.1 * height), (0.9 * width, 0.9 * height))
    row, column = np.mgrid[:height, :width].astype(np.float32)
    away = ((row - middle[1]) * math.cos(angle) - (column - middle[0]) * math.sin(angle)) / unit
    away += 1.5 * cloud(surface, 25)
    falling = np.tanh(away) * np.exp(-np.abs(away) / random.uniform(5, 25))
    surface.shade((random.uniform(0.05, 0.3) * np.sign(random.normal()) * falling).astype(np.float32))
    broken = np.clip(0.5 + random.uniform(-0.3, 0.9) + cloud(surface, 9), 0, 1)
    half = random.uniform(0.4, 1.5)
    opacity = np.clip(half + 0.5 - np.abs(away) + 0.4 * cloud(surface, 3), 0, 1) * broken
    surface.cover(Mark(EVERYWHERE, opacity.astype(np.float32)), random.uniform(0.75, 1))


_MARKS: tuple[Callable[[Surface], None], ...] = (draw_stain, _fold, _scratch, _speck)

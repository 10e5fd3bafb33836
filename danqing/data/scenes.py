"""One composed picture: things laid on a ground, and what is where."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from danqing.core.pictures.found import Found, Spot, Thing
from danqing.data.annotations.label_set import box_of
from danqing.data.backgrounds import Ground
from danqing.data.cutouts import FEWEST, SEEN, Cutout, Kind
from danqing.maths import compositing
from danqing.maths.compositing import (
    Finish,
    Light,
    as_seen_in,
    finish_of,
    in_light,
    laid,
    light_of,
    opacity_in,
    sky_in,
    turned,
)

Plane = np.ndarray[Any, np.dtype[Any]]
Where = Literal["ground", "anywhere"]
TRIES = 24  # places that are tried for a thing before it is left out
HORIZON = 0.55  # of the height from the top; nothing stands on the ground above it
GROUNDS = 6  # that are looked at until one has ground to stand on
AIRY = 0.3  # of the lower part, that may be sky
WHOLLY = 0.95  # of it: a picture that is so much like sky is a wall, or has no ground that could be preferred
UNEVEN = 0.15  # how much sizes at one distance differ
BEST = 98  # quality of JPEG that is drawn at most


@dataclass(frozen=True)
class Manner:
    """How things are laid on grounds.

    Attributes:
        width: of the pictures in pixels.
        height: of the pictures in pixels.
        fewest: things a picture.
        most: things a picture.
        smallest: longer side of a thing, as a share of the picture's shorter one.
        largest: the same.
        rotation: degrees that a thing is turned at most.
        flip: whether half of the things are mirrored.
        harmony: 0…1, how far a thing's light and colours follow the picture's.
        shadow: 0…1, how dark its shadow is.
        match: whether things are as sharp and as grainy as the picture.
        jpeg: the lowest quality of JPEG that pictures go through; 0: none.
        overlap: share of a thing that others or the border may hide.
        where: on the ground, the nearer the larger; or anywhere.
    """

    width: int = 256
    height: int = 256
    fewest: int = 1
    most: int = 4
    smallest: float = 0.2
    largest: float = 0.6
    rotation: float = 10.0
    flip: bool = True
    harmony: float = 0.6
    shadow: float = 0.5
    match: bool = True
    jpeg: int = 75
    overlap: float = 0.3
    where: Where = "ground"


class _Stage(NamedTuple):
    """A ground for things: the empty picture, its sky (H, W), bool, its light, and its finish if it is imitated."""

    picture: Plane
    sky: Plane
    light: Light
    finish: Finish | None


@dataclass
class _Laid:
    """A thing that lies in the picture."""

    label: str
    all_of_it: Plane  # (H, W), bool: its pixels, were nothing before it
    seen: Plane  # (H, W), bool
    whole: int  # pixels that it has, those outside included
    points: tuple[Spot, ...]


def compose(kinds: Sequence[Kind], ground: Ground, manner: Manner, rng: np.random.Generator) -> tuple[Plane, Found]:
    """Lay things on a ground; the picture (H, W, 3), float32, and what is where.

    Every class is as likely. A thing for which there is no place within the limits is left out.
    """
    stage = _stage(ground, manner, rng)
    picture = stage.picture
    there: list[_Laid] = []
    for depth in _depths(manner, rng):
        kind = kinds[int(rng.integers(len(kinds)))]
        cutout = kind.make(int(rng.integers(kind.size)), rng)
        picture = _add(picture, stage, cutout, depth, manner, there, rng)
    found = Found(manner.width, manner.height, tuple(map(_thing, there)))
    return _through_jpeg(picture, manner, rng), found


def _stage(ground: Ground, manner: Manner, rng: np.random.Generator) -> _Stage:
    """A ground, of a few the first with little sky in its lower part, else that with least."""
    stages = []
    for _ in range(GROUNDS):
        picture = ground(manner.height, manner.width, rng)
        wanted = manner.where == "ground"
        sky = sky_in(picture) if wanted else np.zeros(picture.shape[:2], bool)
        stages.append((float(sky[int(HORIZON * manner.height) :].mean()), picture, sky))
        if stages[-1][0] < AIRY:
            break
    share, picture, sky = min(stages, key=lambda each: each[0])
    return _Stage(picture, sky & (share < WHOLLY), light_of(picture), finish_of(picture) if manner.match else None)


def _depths(manner: Manner, rng: np.random.Generator) -> list[float]:
    """How near each thing is, 0…1, the farthest first."""
    count = int(rng.integers(manner.fewest, manner.most + 1))
    return sorted(map(float, rng.uniform(size=count)))


def _add(
    picture: Plane, stage: _Stage, cutout: Cutout, depth: float, manner: Manner, there: list[_Laid],
    rng: np.random.Generator,
) -> Plane:  # fmt: skip
    size = manner.height, manner.width
    part = depth * float(rng.uniform(1 - UNEVEN, 1)) if manner.where == "ground" else float(rng.uniform())
    side = (manner.smallest + (manner.largest - manner.smallest) * part) * min(size)
    mirrored = manner.flip and cutout.turns and bool(rng.integers(2))
    angle = float(rng.uniform(-manner.rotation, manner.rotation)) if manner.rotation else 0.0
    pixels, way = turned(cutout.pixels, side / max(cutout.pixels.shape[:2]), angle, mirrored)
    corner = _place(pixels[..., 3], depth, stage.sky, manner, there, rng)
    if corner is None:
        return picture
    patch = in_light(pixels, stage.light, manner.harmony)
    patch = patch if stage.finish is None else as_seen_in(patch, stage.finish, rng)
    if manner.shadow:
        cast = compositing.ground_shadow if manner.where == "ground" else compositing.drop_shadow
        dark = cast(pixels[..., 3], size, corner, stage.light.side)
        picture = picture * (1 - manner.shadow * dark[..., None])
    seen = opacity_in(size, pixels[..., 3], corner) > SEEN
    for each in there:
        each.seen = each.seen & ~seen
    whole = int(np.count_nonzero(pixels[..., 3] > SEEN))
    there.append(_Laid(cutout.label, seen, seen, whole, _moved(cutout, way, corner)))
    return laid(picture, patch, corner)


def _place(
    opacity: Plane, depth: float, sky: Plane, manner: Manner, there: list[_Laid], rng: np.random.Generator
) -> tuple[int, int] | None:
    """A row and column for the first pixel of a thing, so that it and the others can be seen; None if there is none."""
    size, (tall, wide) = (manner.height, manner.width), opacity.shape
    whole = np.count_nonzero(opacity > SEEN)
    if whole < FEWEST:
        return None
    over = manner.overlap
    for _ in range(TRIES):
        left = int(rng.integers(-int(over * wide), max(manner.width - wide + int(over * wide), 0) + 1))
        if manner.where == "ground":
            lowest = manner.height * (1 + 0.5 * over * (tall / manner.height))
            top = round(HORIZON * manner.height + (lowest - HORIZON * manner.height) * depth - tall)
            depth = min(1.0, max(0.0, depth + float(rng.uniform(-0.05, 0.05))))
        else:
            top = int(rng.integers(-int(over * tall), max(manner.height - tall + int(over * tall), 0) + 1))
        mine = opacity_in(size, opacity, (top, left)) > SEEN
        inside = np.count_nonzero(mine)
        enough = inside >= max((1 - over) * whole, FEWEST) and not _on_air(sky, top + tall, left, wide)
        if enough and all(_still_seen(each, mine, over) for each in there):
            return top, left
    return None


def _on_air(sky: Plane, feet: int, left: int, wide: int) -> bool:
    """Whether there is sky where the feet of a thing would stand."""
    row = min(feet, len(sky) - 1)
    under = sky[row, max(left, 0) : left + wide]
    return bool(under.size and under.mean() > 0.5)


def _still_seen(each: _Laid, covering: Plane, over: float) -> bool:
    left = np.count_nonzero(each.seen & ~covering)
    return bool(left >= max((1 - over) * each.whole, FEWEST))


def _moved(cutout: Cutout, way: Plane, corner: tuple[int, int]) -> tuple[Spot, ...]:
    """The points of a cut-out where it lies; one that has none gets its middle."""
    height, width = cutout.pixels.shape[:2]
    points = cutout.points or (Spot("middle", width / 2, height / 2),)
    moved = []
    for spot in points:
        x, y = way @ (spot.x, spot.y, 1)
        moved.append(spot._replace(x=float(x) + corner[1], y=float(y) + corner[0]))
    return tuple(moved)


def _thing(each: _Laid) -> Thing:
    mask = torch.from_numpy(each.seen)
    box = box_of(mask)
    assert box is not None, "a place was chosen so that it can be seen"
    height, width = each.seen.shape
    inside = (spot for spot in each.points if 0 <= spot.x <= width and 0 <= spot.y <= height)
    points = tuple(spot if _is_open(each, spot) else spot._replace(score=0.5 * spot.score) for spot in inside)
    return Thing(each.label, box, 1.0, points, mask)


def _is_open(each: _Laid, spot: Spot) -> bool:
    """Whether nothing lies before a point."""
    height, width = each.seen.shape
    row, column = min(int(spot.y), height - 1), min(int(spot.x), width - 1)
    return bool(each.seen[row, column] or not each.all_of_it[row, column])


def _through_jpeg(picture: Plane, manner: Manner, rng: np.random.Generator) -> Plane:
    """The picture as JPEG leaves it, at a quality that chance chooses."""
    from PIL import Image

    quality = int(rng.integers(manner.jpeg, BEST + 1)) if manner.jpeg else 0
    bytes_of = (picture.clip(0, 1) * 255).round().astype(np.uint8)
    if quality:
        stream = io.BytesIO()
        Image.fromarray(bytes_of).save(stream, "JPEG", quality=quality)
        with Image.open(stream) as image:
            bytes_of = np.asarray(image.convert("RGB"))
    return bytes_of.astype(np.float32) / 255


__all__ = ["Manner", "Where", "compose"]

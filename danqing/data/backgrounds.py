"""What things are laid on: parts of the photographs of a folder, or grounds made by rules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from danqing.core.disk import identity_of
from danqing.core.errors import DataError, UserError
from danqing.core.notes import note
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import to_uint8
from danqing.core.pictures.listing import passed_over_note, pictures_in
from danqing.core.pictures.reading import read
from danqing.core.progress import Job, Progress
from danqing.maths.colour import from_linear, into_gamut, linear_from_oklab
from danqing.maths.procedural import octaves

Plane = np.ndarray[Any, np.dtype[Any]]
Ground = Callable[[int, int, np.random.Generator], Plane]  # height, width, chance -> (H, W, 3), float32, in [0, 1]
KEPT = 16  # photographs held in memory, as bytes: of 24 megapixels each they take 1.2 GB
CLOSEST = 0.5  # of the largest part that fits, which is shown at least
ROUGHNESS = 0.55  # persistence of a made ground's octaves


def photographs(folder: Path, skip_bad: bool = False) -> Job[Ground]:
    """Parts of the photographs of a folder, each as likely.

    Raises:
        DataError: if there are none, or one cannot be read.
    """
    listing = pictures_in(folder)
    files, listed = [], listing.found
    for words in (*listing.notes, passed_over_note(listing.passed_over, folder)):
        note(words) if words else None
    for at, each in enumerate(listed):
        yield Progress(at, len(listed), "looking at photographs")
        try:
            read(each.file, at_least=64)
            files.append(each.file)
        except UserError as error:
            if not skip_bad:
                raise DataError(
                    f"cannot be used: {error.what}", where=each.file, remedy="Leave it out with --skip-bad"
                ) from error
            note(f"{each.name} was left out: {error.what}")
    if not files:
        raise DataError("holds no pictures to lay things on", where=folder)

    def ground(height: int, width: int, rng: np.random.Generator) -> Plane:
        file = files[int(rng.integers(len(files)))]
        return _part(_photograph(file, identity_of(file)), height, width, rng)

    return ground


def made(height: int, width: int, rng: np.random.Generator) -> Plane:
    """A ground of soft clouds of two colours, lighter to one side."""
    waves = [
        octaves("perlin", height, width, max(height, width) * rng.uniform(0.15, 0.6), 6, ROUGHNESS, rng, False)
        for _ in range(2)
    ]
    slope = np.linspace(-1, 1, height)[:, None] * rng.uniform(-1, 1) + np.linspace(-1, 1, width) * rng.uniform(-1, 1)
    ends = [(rng.uniform(0.3, 0.9), *(0.09 * rng.standard_normal(2))) for _ in range(2)]
    mix = (0.5 + 0.5 * waves[0]).clip(0, 1)[..., None]
    lab = (1 - mix) * np.array(ends[0]) + mix * np.array(ends[1])
    lab[..., 0] = (lab[..., 0] + 0.06 * slope + 0.05 * waves[1]).clip(0.05, 0.98)
    linear = into_gamut(linear_from_oklab(torch.from_numpy(lab)))
    return np.asarray(from_linear(linear.clamp(0, 1)).numpy(), np.float32)


@functools.lru_cache(KEPT)
def _photograph(file: Path, there: tuple[int, ...]) -> Plane:
    picture = read(file)
    return np.asarray(to_uint8(laid_on(picture.pixels, picture.alpha).expand(-1, 3, -1, -1))[0])


def _part(picture: Plane, height: int, width: int, rng: np.random.Generator) -> Plane:
    """A part of a picture that chance chooses, of the wanted proportions, in the wanted size."""
    import cv2

    most = min(picture.shape[0] / height, picture.shape[1] / width)
    share = most * rng.uniform(CLOSEST, 1)
    tall, wide = max(1, round(height * share)), max(1, round(width * share))
    top, left = (
        int(rng.integers(0, max(side - own, 0) + 1)) for side, own in zip(picture.shape, (tall, wide), strict=False)
    )
    part = picture[top : top + tall, left : left + wide].astype(np.float32) / 255
    way = cv2.INTER_AREA if share >= 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(part, (width, height), interpolation=way).clip(0, 1), np.float32)


__all__ = ["Ground", "made", "photographs"]

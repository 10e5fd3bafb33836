"""Moving pictures: GIF, WebP or MP4, the recipe inside, frame by frame so that no film is held in memory."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, ClassVar

import numpy as np
import torch

from danqing.core.artefacts.artefact import Artefact
from danqing.core.artefacts.pictures import ANY_SIZE, noise
from danqing.core.artefacts.saving import Saving
from danqing.core.errors import DanqingError
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.film_writing import write_frames
from danqing.core.pictures.films import Frame, frame_count, frames, recipe_of_film
from danqing.core.pictures.header import recipe_of
from danqing.core.progress import Job, Progress, finish
from danqing.core.recipe import Recipe

SUFFIXES = (".gif", ".webp", ".mp4")


@dataclass(frozen=True)
class Reel:
    """Frames that are made anew whenever they are asked for, so that none need be kept."""

    make: Callable[[], Iterable[Images]]

    def __iter__(self) -> Iterator[Images]:
        return iter(self.make())


@dataclass(frozen=True)
class Film(Artefact):
    """A moving picture.

    Attributes:
        frames: pictures (N, C, H, W), one piece of the film after the other, all of one size; a :class:`Reel` makes
            them as they are asked for.
        rate: frames per second.
        count: how many frames there will be; 0 where that is not known.
        figures: what is measured of the film while its frames are made, whole only when they all are.
    """

    frames: Iterable[Images]
    rate: float = 24.0
    count: int = 0
    figures: dict[str, float] = field(default_factory=dict)

    noun: ClassVar[str] = "a moving picture"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES
    options: ClassVar[tuple[str, ...]] = ("quality",)
    place: ClassVar[str] = "Write the moving picture here: .gif, .webp or .mp4."

    @property
    def pictures(self) -> Images:
        """All frames (T, C, H, W) at once."""
        return torch.cat(list(self.frames))

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        return finish(self.keep(file, recipe, saving, like))

    def keep(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Job[Artefact]:
        """Make the frames, which takes long and can be stopped, on to the disk; then encode them, a frame at a time."""
        with tempfile.TemporaryFile(prefix="danqing-") as spool:
            done, shape = 0, torch.Size()
            for piece in self.frames:
                shape = piece.shape[1:]
                spool.write(np.ascontiguousarray(piece.cpu().numpy()).tobytes())
                done += len(piece)
                yield Progress(done, max(done, self.count), "frames", piece[-1:])
            spool.seek(0)
            told = (Frame(each, None, 1 / self.rate) for each in _spooled(spool, done, shape))
            write_frames(told, file, quality=saving.quality, recipe=recipe, force=saving.force)
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return recipe_of_film(file) if file.suffix.lower() == ".mp4" else recipe_of(file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        pairs = itertools.zip_longest(frames(one, ANY_SIZE), frames(other, ANY_SIZE))
        return all(first is not None and second is not None and _alike(first, second) for first, second in pairs)

    @classmethod
    def is_whole(cls, file: Path) -> bool:
        try:
            return sum(1 for _ in frames(file, ANY_SIZE)) == frame_count(file)
        except DanqingError:
            return False

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        return cls(noise(rng, 4).split(2), 10.0, 4)

    def told(self) -> dict[str, float] | None:
        return self.figures or None

    def thumbnail(self) -> Images | None:
        return next(iter(self.frames))[:1]


def _spooled(spool: IO[bytes], count: int, shape: torch.Size) -> Iterator[Images]:
    """The frames (1, C, H, W) that were laid down, one by one."""
    for _ in range(count):
        samples = np.frombuffer(bytearray(spool.read(4 * shape.numel())), np.float32)
        yield torch.from_numpy(samples).view(1, *shape)


def _alike(one: Frame, other: Frame) -> bool:
    same_alpha = (one.alpha is None) == (other.alpha is None)
    if one.alpha is not None and other.alpha is not None:
        same_alpha = one.alpha.equal(other.alpha)
    return same_alpha and one.seconds == other.seconds and one.pixels.equal(other.pixels)


__all__ = ["Film", "Reel"]

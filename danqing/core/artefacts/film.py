"""Moving pictures: GIF, WebP or MP4, the recipe inside, frame by frame so that no film is held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from danqing.core.artefacts.artefact import Artefact
from danqing.core.artefacts.pictures import Pictures
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import replacing
from danqing.core.errors import PictureError
from danqing.core.pictures.contract import Images, Picture, to_uint8
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.writing import settings as embedding
from danqing.core.progress import Job, Progress, finish
from danqing.core.recipe import Recipe, from_json, to_json

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
    """

    frames: Iterable[Images]
    rate: float = 24.0
    count: int = 0

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
        done = 0

        def shown() -> Iterator[NDArray[np.uint8]]:
            nonlocal done
            for piece in self.frames:
                for frame in to_uint8(piece):
                    done += 1
                    yield frame

        frames = shown()
        with replacing(file, force=saving.force) as temporary:
            write = _mp4 if file.suffix.lower() == ".mp4" else _animation
            for _ in write(frames, self.rate, temporary, saving.quality, recipe):
                yield Progress(done, max(done, self.count), "frames written")
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return _recipe_in_mp4(file) if file.suffix.lower() == ".mp4" else recipe_of(file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        return one.read_bytes() == other.read_bytes()

    @classmethod
    def is_whole(cls, file: Path) -> bool:
        return all(_decoded(file)) if file.suffix.lower() == ".mp4" else Pictures.is_whole(file)


def _decoded(file: Path) -> Iterator[bool]:
    """Whether each frame of an MP4 can be decoded."""
    import av

    try:
        with av.open(str(file)) as film:
            yield from (True for _ in film.decode(video=0))
    except (av.FFmpegError, IndexError):
        yield False


def _recipe_in_mp4(file: str | Path) -> Recipe | None:
    import av

    try:
        with av.open(str(file)) as film:
            words = str(film.metadata.get("comment", ""))
    except av.FFmpegError as error:
        raise PictureError(f"is no film ({error.strerror})", where=file) from error
    return from_json(words, file) if words.startswith("{") else None


def _animation(
    frames: Iterator[NDArray[np.uint8]], rate: float, file: Path, quality: int, recipe: Recipe
) -> Iterator[None]:
    from PIL import Image

    pictures = (Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame) for frame in frames)
    kind = file.suffix[1:].upper()
    timing: dict[str, Any] = {"save_all": True, "duration": round(1000 / rate), "loop": 0}
    yield
    more = {"quality": quality} if kind == "WEBP" else {}
    next(pictures).save(file, kind, append_images=pictures, **timing, **more, **embedding(kind, recipe))


def _mp4(frames: Iterator[NDArray[np.uint8]], rate: float, file: Path, quality: int, recipe: Recipe) -> Iterator[None]:
    import av

    with av.open(str(file), "w") as film:
        film.metadata["comment"] = to_json(recipe)
        stream: Any = film.add_stream(_codec(), rate=Fraction(rate).limit_denominator(1001))
        stream.options = {"crf": str(10 + 100 - quality)} if stream.name == "libx264" else {"qscale": "3"}
        stream.pix_fmt = "yuv420p"
        for at, frame in enumerate(frames):
            height, width = frame.shape[:2]
            even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), "edge")  # half-size colour planes
            colour = np.ascontiguousarray(np.broadcast_to(even, (*even.shape[:2], 3)))
            if at == 0:
                stream.height, stream.width = colour.shape[:2]
            film.mux(stream.encode(av.VideoFrame.from_ndarray(colour, format="rgb24")))
            yield
        film.mux(stream.encode())


def _codec() -> str:
    """H.264 where this PyAV has it, MPEG-4 otherwise: both play everywhere."""
    import av

    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


__all__ = ["Film", "Reel"]

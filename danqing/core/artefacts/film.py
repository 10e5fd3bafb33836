"""How moving pictures go into files: GIF, WebP or MP4, the recipe inside."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from danqing.core.disk import replacing
from danqing.core.errors import OutputError, PictureError
from danqing.core.pictures.contract import Images, to_uint8
from danqing.core.pictures.writing import settings as embedding
from danqing.core.recipe import Recipe, from_json, to_json


class Film(NamedTuple):
    """A moving picture: frames (T, C, H, W) and their rate in frames per second."""

    pictures: Images
    rate: float = 24.0


SUFFIXES = (".gif", ".webp", ".mp4")


def write_frames(
    frames: Film, file: str | Path, *, quality: int = 92, recipe: Recipe | None = None, force: bool = False
) -> Path:
    """Write a moving picture; the suffix says how.

    Args:
        frames: pictures (T, C, H, W) and their rate.
        file: a name that ends in .gif, .webp or .mp4.
        quality: 1 to 100, for WebP and MP4.
        recipe: how it was made, to be embedded.
        force: whether to replace an existing file.

    Raises:
        OutputError: if it cannot be written, exists already, or has another suffix.
    """
    file = Path(file)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError("is no name for a moving picture", where=file, remedy=f"Known: {', '.join(SUFFIXES)}")
    pixels = to_uint8(frames.pictures)  # (T, H, W, C)
    with replacing(file, force=force) as temporary:
        if suffix == ".mp4":
            _write_mp4(pixels, frames.rate, temporary, quality, to_json(recipe or []))
        else:
            _write_animation(pixels, frames.rate, temporary, quality, recipe or [])
    return file


def recipe_in_film(file: str | Path) -> Recipe | None:
    """Read the recipe inside an MP4; None if there is none."""
    import av

    try:
        with av.open(str(file)) as film:
            words = str(film.metadata.get("comment", ""))
    except av.FFmpegError as error:
        raise PictureError(f"is no film ({error.strerror})", where=file) from error
    return from_json(words, file) if words.startswith("{") else None


def _write_animation(pixels: np.ndarray[Any, Any], rate: float, file: Path, quality: int, recipe: Recipe) -> None:
    from PIL import Image

    first, *rest = [Image.fromarray(frame.squeeze(-1) if frame.shape[-1] == 1 else frame) for frame in pixels]
    timing: dict[str, Any] = {"save_all": True, "append_images": rest, "duration": round(1000 / rate), "loop": 0}
    kind = file.suffix[1:].upper()
    first.save(file, kind, **timing, **({"quality": quality} if kind == "WEBP" else {}), **embedding(kind, recipe))


def _write_mp4(pixels: np.ndarray[Any, Any], rate: float, file: Path, quality: int, words: str) -> None:
    import av

    height, width = pixels.shape[1:3]
    even = np.pad(pixels, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), "edge")  # half-size colour planes
    colour = np.broadcast_to(even, (*even.shape[:3], 3))
    with av.open(str(file), "w") as film:
        film.metadata["comment"] = words
        stream = film.add_stream(_codec(), rate=Fraction(rate).limit_denominator(1001))
        stream.height, stream.width = colour.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(10 + 100 - quality)} if stream.name == "libx264" else {"qscale": "3"}
        for frame in colour:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        film.mux(stream.encode())


def _codec() -> str:
    """H.264 where this PyAV has it, MPEG-4 otherwise: both play everywhere."""
    import av

    return "libx264" if "libx264" in av.codecs_available else "mpeg4"


__all__ = ["SUFFIXES", "recipe_in_film", "write_frames"]

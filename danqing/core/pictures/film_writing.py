"""Moving pictures go into files, a frame at a time: GIF, WebP or MP4, the recipe inside, the same bytes every time."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from danqing.core.disk import replacing
from danqing.core.errors import OutputError, ParameterError
from danqing.core.notes import note
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.animations import Shot, write_gif, write_webp
from danqing.core.pictures.contract import to_uint8
from danqing.core.pictures.films import Frame
from danqing.core.pictures.sides import LONGEST, too_long
from danqing.core.recipe import Recipe, to_json

TICKS = 120_000  # of a second in an MP4: a whole number of them for every usual rate


def write_frames(
    frames: Iterable[Frame], file: str | Path, *, quality: int = 92, recipe: Recipe | None = None, force: bool = False
) -> Path:
    """Write a moving picture; the suffix says how. Frames are asked for one by one, and let go when they are written.

    GIF has 256 colours a frame, and pixels are seen or not; MP4 holds no transparency: frames are laid on white; both
    are said in a note.

    Args:
        frames: of one size, each with its time.
        file: a name that ends in .gif, .webp or .mp4.
        quality: 1 to 100, for WebP (100 is lossless) and MP4.
        recipe: how it was made, to be embedded.
        force: whether to replace an existing file.

    Raises:
        OutputError: if it cannot be written, exists already, or has another suffix.
        ParameterError: if there are no frames, or they differ in size.
    """
    file = Path(file)
    writer = WRITERS.get(file.suffix.lower())
    if writer is None:
        raise OutputError("is no name for a moving picture", where=file, remedy=f"Known: {', '.join(WRITERS)}")
    if not 1 <= quality <= 100:
        raise ParameterError(f"{quality!r} is not a whole number in 1…100", where="quality")
    with replacing(file, force=force) as temporary:
        try:
            writer(_shots(frames, file), temporary, quality, recipe)
        except (ValueError, OverflowError, struct.error) as error:
            if isinstance(error, ParameterError):
                raise
            raise OutputError(f"cannot be written as {file.suffix[1:]} ({error})", where=file) from error
    return file


def _shots(frames: Iterable[Frame], file: Path) -> Iterator[Shot]:
    """Frames in bytes and in their place in time."""
    kind, size, time = file.suffix[1:].upper(), None, 0.0
    for frame in frames:
        pixels, alpha = frame.pixels, frame.alpha
        if size not in (None, pixels.shape[-2:]):
            raise ParameterError("the frames differ in size", where="frames")
        if max(pixels.shape) > LONGEST[kind]:
            raise too_long(kind, pixels.shape[-1], pixels.shape[-2], file)
        size = pixels.shape[-2:]
        if alpha is not None and kind == "MP4":
            note(f"{file}: MP4 holds no transparency; laid on white")
            pixels, alpha = laid_on(pixels, alpha, (1.0,)), None
        samples = to_uint8(pixels)[0]
        if alpha is not None:
            colours = np.broadcast_to(samples, (*samples.shape[:2], 3))
            samples = np.concatenate([colours, to_uint8(alpha)[0]], axis=2)
        yield Shot(samples, time, time + frame.seconds)
        time += frame.seconds
    if size is None:
        raise ParameterError("there are no frames", where="frames")


def _write_mp4(shots: Iterator[Shot], file: Path, quality: int, recipe: Recipe | None) -> None:
    import av

    first = next(shots)
    height, width = (side + side % 2 for side in first.pixels.shape[:2])  # half-size colour planes
    durations: dict[int, int] = {}
    with av.open(str(file), "w") as film:
        film.metadata["comment"] = to_json(recipe or [])
        stream = _stream(film, width, height, first.end - first.start, quality)
        for shot in itertools.chain([first], shots):
            below, beside = height - shot.pixels.shape[0], width - shot.pixels.shape[1]
            padded = np.pad(shot.pixels, ((0, below), (0, beside), (0, 0)), "edge")
            colour = np.ascontiguousarray(np.broadcast_to(padded, (height, width, 3)))
            # by one thread: several now and then give another picture of the same small frame
            frame = av.VideoFrame.from_ndarray(colour, format="rgb24").reformat(format="yuv420p", threads=1)
            frame.time_base, frame.pts = Fraction(1, TICKS), round(shot.start * TICKS)
            durations[frame.pts] = round(shot.end * TICKS) - frame.pts
            _mux(film, stream.encode(frame), durations)
        _mux(film, stream.encode(), durations)


def _stream(film: Any, width: int, height: int, seconds: float, quality: int) -> Any:
    import av

    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"  # both play everywhere
    stream = film.add_stream(codec, rate=Fraction(1 / max(seconds, 1e-3)).limit_denominator(1001))
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = Fraction(1, TICKS)
    stream.codec_context.thread_count = 1  # or the bytes would depend on the number of processors
    # without frames that look ahead the last one is written last, with its own time
    stream.options = {"crf": str(min(51, 110 - quality)), "bf": "0"} if codec == "libx264" else {"qscale": "3"}
    return stream


def _mux(film: Any, packets: Iterable[Any], durations: dict[int, int]) -> None:
    """Write packets, each with the time that its frame is shown: the encoder only guesses it."""
    for packet in packets:
        packet.duration = durations.pop(packet.pts, packet.duration)
        film.mux(packet)


WRITERS: dict[str, Callable[[Iterator[Shot], Path, int, Recipe | None], None]] = {
    ".gif": write_gif,
    ".webp": write_webp,
    ".mp4": _write_mp4,
}

__all__ = ["WRITERS", "write_frames"]

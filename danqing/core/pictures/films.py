"""Moving pictures come from files, a frame at a time: GIF, WebP, APNG, AVIF, pages of TIFF, and films such as MP4."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from danqing.core.errors import PictureError
from danqing.core.notes import note, noted
from danqing.core.pictures.contract import Images, Mask, from_uint8
from danqing.core.pictures.header import LIMIT, Header, check_size, opened
from danqing.core.pictures.reading import decoded, in_srgb, samples_of, samples_of_png, tensor, told
from danqing.core.pictures.samples import Samples
from danqing.core.recipe import Recipe, from_json

UNTOLD = 0.1  # seconds that a frame is shown whose file says 0, as browsers have it
FILMS = (b"\x1a\x45\xdf\xa3", b"RIFF", b"\0\0\1\xba", b"FLV")  # how Matroska, AVI, MPEG and Flash begin; MP4 has a box
STILLS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc")  # brands of boxes that hold pictures


class Frame(NamedTuple):
    """One frame of a moving picture: colours (1, C, H, W), opacity (1, 1, H, W), and how long it is shown."""

    pixels: Images
    alpha: Mask | None = None
    seconds: float = 1 / 24


def frames(file: str | Path, limit: int | None = None) -> Iterator[Frame]:
    """Read the frames of a file one by one; never more than two of them are in memory.

    Each is whole, as a viewer shows it: what the file keeps from frame to frame is put together. Colours are sRGB.

    Args:
        file: a moving picture, a film, or a TIFF with pages (which may differ in size); a picture is one frame.
        limit: the most pixels that a frame may have; None: 180 million.

    Raises:
        PictureError: naming why it cannot be read.
    """
    if _is_film(Path(file)):
        yield from _frames_of_film(file, LIMIT if limit is None else limit)
        return
    with opened(file, limit) as header:
        if header.kind == "TIFF":
            yield from _pages(header, LIMIT if limit is None else limit)
        elif header.kind == "GIF":
            yield from _frames_of_gif(header)
        else:
            yield from _frames_of_png(header) if b"acTL" in header.facts else _frames_of_picture(header)


def frame_count(file: str | Path) -> int:
    """How many frames or pages a file holds; none of them is decoded.

    Raises:
        PictureError: naming why it cannot be read.
    """
    if not _is_film(Path(file)):
        with opened(file, 2**62) as header:
            return header.frames
    with _film(file) as film:
        stream = film.streams.video[0]
        return int(stream.frames) or sum(packet.size > 0 for packet in film.demux(stream))


def recipe_of_film(file: str | Path) -> Recipe | None:
    """Read the recipe inside a film such as an MP4; None if there is none.

    Raises:
        PictureError: if it is no film.
        ParameterError: if the recipe is damaged.
    """
    with _film(file) as film:
        words = str(film.metadata.get("comment", ""))
    return from_json(words, file) if words.startswith("{") else None


def _is_film(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            head = stream.read(12)
    except (OSError, ValueError):
        return False  # reading says why
    if head[:4] == b"RIFF":
        return head[8:] == b"AVI "
    return head.startswith(FILMS) or (head[4:8] == b"ftyp" and head[8:] not in STILLS)


def _frames_of_picture(header: Header) -> Iterator[Frame]:
    """The frames of WebP and AVIF, and a single picture; Pillow keeps what stays from frame to frame."""
    side = _side(header)
    for at in range(header.frames):
        header.picture.seek(at)
        samples = samples_of(header.picture) if at else decoded(header)
        yield _frame(samples, header, side, float(header.picture.info.get("duration", 0)) / 1000)


def _frames_of_gif(header: Header) -> Iterator[Frame]:
    from danqing.core.pictures import gif

    header.stream.seek(0)
    for canvas, seconds in gif.frames(header.stream, header.width * header.height):
        pixels = from_uint8(canvas[None])
        alpha = None if bool((canvas[..., 3] == 255).all()) else pixels[:, 3:]
        yield Frame(pixels[:, :3].contiguous(), alpha, seconds or UNTOLD)


def _frames_of_png(header: Header) -> Iterator[Frame]:
    from danqing.core.pictures import apng

    side, left = _side(header), header.frames
    for samples, seconds in apng.frames(header.stream, (header.height, header.width), samples_of_png):
        yield _frame(samples, header, side, seconds)
        left -= 1
    if left > 0:
        raise EOFError("the file is cut off")


def _pages(header: Header, limit: int) -> Iterator[Frame]:
    from danqing.core.pictures import tiff

    size = header.stream.seek(0, 2)
    header.stream.seek(0)
    pages = tiff.pages(header.stream)
    if len(pages) < header.frames:
        what = f"holds {header.frames} slices and a directory for {len(pages)} of them"
        raise PictureError(what, where=header.file, remedy="Save each as a page of its own")
    for page in pages:
        header.picture, header.icc = page, tiff.bytes_of(page, tiff.ICC) or None
        header.width, header.height = int(page.imagewidth), int(page.imagelength)
        check_size(header, limit)
        yield _upright(in_srgb(Samples(*tiff.decode(page, size, header.file)), header), _side(header), UNTOLD)


def _frame(samples: Samples, header: Header, side: int, seconds: float) -> Frame:
    """A frame in colour, since the next may be; with the time that its file says."""
    made = _upright(in_srgb(samples, header), side, seconds or UNTOLD)
    return made._replace(pixels=made.pixels.expand(-1, 3, -1, -1).contiguous())


def _upright(samples: Samples, side: int, seconds: float) -> Frame:
    return Frame(tensor(samples.pixels, side), None if samples.alpha is None else tensor(samples.alpha, side), seconds)


def _side(header: Header) -> int:
    """The side that is up, as EXIF numbers it; of the rest a film keeps nothing, so nothing is said."""
    with noted([]):
        return told(header)[0]


@contextmanager
def _film(file: str | Path) -> Iterator[Any]:
    import av

    try:
        with av.open(str(file), metadata_errors="replace") as film:
            if not film.streams.video:
                raise PictureError("holds no moving pictures", where=file)
            yield film
    except av.FFmpegError as error:
        raise PictureError(f"is no film, or a damaged one ({error.strerror})", where=file) from error


def _frames_of_film(file: str | Path, limit: int) -> Iterator[Frame]:
    with _film(file) as film:
        stream = film.streams.video[0]
        if stream.width * stream.height > limit:
            raise PictureError(f"has frames of {stream.width} x {stream.height} pixels", where=file)
        if film.streams.audio:
            note(f"{file}: its sound is left out")
        usual = float(1 / stream.average_rate) if stream.average_rate else UNTOLD
        before: tuple[Tensor, float] | None = None
        for frame in film.decode(stream):
            time = frame.time if frame.time is not None else (before[1] + usual if before else 0.0)
            if before:
                yield Frame(before[0], None, max(time - before[1], 0.0) or usual)
            before = _turned(frame), time
            last = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else usual
        if before:
            yield Frame(before[0], None, last)


def _turned(frame: Any) -> Tensor:
    """A frame as it is to be seen: telephones write films lying on their side.

    Colours are converted by one thread: several now and then give another picture of the same small frame.
    """
    pixels = np.rot90(frame.to_ndarray(format="rgb24", threads=1), round(frame.rotation / 90))
    return from_uint8(np.ascontiguousarray(pixels)[None])


__all__ = ["Frame", "frame_count", "frames", "recipe_of_film"]

"""Open a picture file as far as its header, or say by name why it cannot be read; needs no torch."""

from __future__ import annotations

import stat
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile

from danqing.core.errors import DanqingError, PictureError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
LIMIT = 180_000_000  # pixels; what a large scan has, and about as much as 2 GB of memory can hold as floats
_HUSH = threading.Lock()  # warnings' filters belong to the whole process


@contextmanager
def opened(file: str | Path, limit: int | None = None) -> Iterator[ImageFile.ImageFile]:
    """Give a file's header as Pillow reads it; whatever goes wrong with the file inside the block gets its name.

    Args:
        file: the picture.
        limit: the most pixels a frame may have; None: 180 million.

    Raises:
        PictureError: for a file that is missing, empty, damaged, too large, or not a picture.
    """
    with _stream(Path(file)) as stream:
        kind = _kind(stream, file)
        try:
            with hushed():
                picture = Image.OPEN[kind][0](stream, str(file))
            _check_size(picture, LIMIT if limit is None else limit, file)
            yield picture
        except DanqingError:
            raise
        except (MemoryError, Image.DecompressionBombError) as error:
            raise PictureError("is too large for the memory at hand", where=file) from error
        except Exception as error:  # Pillow raises whatever the damage leads it into
            raise PictureError(_diagnosis(kind, error), where=file, remedy="Export or download it again") from error


@contextmanager
def hushed() -> Iterator[None]:
    """Keep Pillow's warnings about odd metadata to itself; for short work only: one thread at a time."""
    with _HUSH, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def frame_count(picture: ImageFile.ImageFile) -> int:
    """How many frames or pages a file has; the previews that phones add to a JPEG do not count."""
    return 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))


def megapixels(file: str | Path) -> float:
    """The size of a picture by its header; 0 where that cannot be told."""
    try:
        with opened(file, limit=2**62) as picture:
            return picture.width * picture.height / 1e6
    except DanqingError:
        return 0.0


@contextmanager
def _stream(file: Path) -> Iterator[BinaryIO]:
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise PictureError("is a folder, not a picture", where=file)
        if not stat.S_ISREG(mode):
            raise PictureError("is a device or pipe, not a file", where=file)
        stream = file.open("rb")
    except FileNotFoundError as error:
        raise PictureError("no such file", where=file) from error
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot be read ({getattr(error, 'strerror', None) or error})", where=file) from error
    with stream:
        yield stream


def _kind(stream: BinaryIO, file: str | Path) -> str:
    """Tell the format from the first bytes; the name does not count."""
    head = stream.read(64)
    stream.seek(0)
    if not head:
        raise PictureError("is empty (0 bytes)", where=file)
    Image.init()
    for kind in FORMATS:
        if kind in Image.OPEN:
            accept = Image.OPEN[kind][1]
            if accept is not None and accept(head[:16]) is True:
                return kind
    raise PictureError(f"is not a picture ({_guess(head)})", where=file, remedy=f"danqing reads {', '.join(FORMATS)}")


def _guess(head: bytes) -> str:
    if head[4:8] == b"ftyp":  # the box that opens HEIC photographs and MP4 films
        return f"{head[8:12].decode('ascii', 'replace').strip()}, as HEIC pictures and films are"
    is_text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
    return "text" if is_text else "of an unknown format"


def _check_size(picture: ImageFile.ImageFile, limit: int, file: str | Path) -> None:
    width, height = picture.size
    if width * height > limit:
        raise PictureError(
            f"has {width} x {height} pixels, more than the limit of {limit / 1e6:g} million",
            where=file,
            remedy="Raise the limit if you trust the file",
        )
    if not width or not height:
        raise PictureError("has no pixels", where=file)


def _diagnosis(kind: str, error: Exception) -> str:
    words = str(error).strip().partition("\n")[0][:200] or type(error).__name__
    ran_out = any(isinstance(each, EOFError | IndexError | struct.error) for each in (error, error.__cause__))
    if ran_out or "truncated" in words.lower():
        return f"is a truncated {kind}"
    return f"is a damaged {kind}, or one of an unusual kind ({words})"

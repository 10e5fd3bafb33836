"""From numbers to a picture file: bit depth, transparency, EXIF and recipe, as far as each format can hold them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base

from danqing.core.disk import replacing
from danqing.core.errors import OutputError, ParameterError
from danqing.core.notes import note
from danqing.core.pictures import sixteen_bit
from danqing.core.pictures.decoding import DESCRIPTIVE
from danqing.core.pictures.header import FORMATS
from danqing.core.pictures.recipe_chunk import CHUNK, settings
from danqing.core.recipe import Recipe, to_json

DEEP = ("PNG", "TIFF")  # formats that hold 16 bits a channel
OPAQUE = ("JPEG", "BMP")  # formats that hold no alpha
BAND = 64  # rows of a picture that are rounded at once

Floats = NDArray[np.float32]
Samples = NDArray[np.uint8] | NDArray[np.uint16]


def format_of(file: str | Path) -> str:
    """The format that a file's suffix asks for.

    Raises:
        OutputError: for an unknown suffix, naming those known.
    """
    Image.init()
    known = {suffix: kind for suffix, kind in Image.EXTENSION.items() if kind in FORMATS and kind in Image.SAVE}
    suffix = Path(file).suffix.lower()
    if suffix not in known:
        what = f"has an unknown suffix {suffix}" if suffix else "has no suffix"
        raise OutputError(what, where=file, remedy=f"Known: {' '.join(sorted(known))}")
    return known[suffix]


def check_format(file: str | Path, depth: int | None) -> None:
    """Refuse a name that says no format, or a format that cannot hold so many bits a channel.

    Raises:
        OutputError: if it is such.
        ParameterError: for another depth than 8 or 16.
    """
    _depth(format_of(file), depth, 8, file)


def encode(
    pixels: Floats,
    alpha: Floats | None,
    file: str | Path,
    *,
    depth: int | None,
    preferred: int,
    quality: int,
    exif: bytes | None,
    recipe: Recipe | None,
    force: bool,
) -> Path:
    """Write colours (H, W, 1 or 3) and opacity (H, W, 1) in [0, 1]; see :mod:`danqing.core.pictures.writing`."""
    kind = format_of(file)
    depth = _depth(kind, depth, preferred, file)
    if not 1 <= quality <= 100:
        raise ParameterError(f"{quality!r} is not a whole number in 1…100", where="quality")
    if alpha is not None and kind in OPAQUE:
        note(f"{file}: {kind} holds no transparency; laid on white")
        pixels, alpha = pixels * alpha + (1 - alpha), None
    samples = rounded(pixels if alpha is None else np.concatenate([pixels, alpha], axis=2), depth)
    block, embedded = readable(exif), {} if recipe is None else settings(kind, recipe)
    with replacing(file, force=force) as temporary:
        try:
            if kind == "TIFF":
                pieces = sixteen_bit.tiff(_readable_grey(samples), _only_descriptive(block), embedded.get("xmp"))
                _lay_down(pieces, temporary)
            elif depth == 16:
                text = None if recipe is None else CHUNK.encode() + b"\0" * 5 + to_json(recipe).encode()
                _lay_down(sixteen_bit.png(samples, block.tobytes() if block else None, text), temporary)
            else:
                image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
                image.save(temporary, format=kind, **_options(kind, quality, block), **embedded)
        except (ValueError, OverflowError, struct.error) as error:  # too long a side for a GIF, a recipe for a JPEG …
            raise OutputError(f"cannot be written as {kind} ({error})", where=file) from error
    return Path(file)


def rounded(x: Floats, depth: int) -> Samples:
    """Round numbers in [0, 1] to whole samples of 8 or 16 bits."""
    top = np.float32(2**depth - 1)
    samples = np.empty(x.shape, np.uint16 if depth == 16 else np.uint8)
    for row in range(0, len(x), BAND):  # at 100 megapixels, one copy of all numbers takes more than a gigabyte
        band = np.s_[row : row + BAND]
        samples[band] = np.clip(x[band], 0, 1) * top + np.float32(0.5)
    return samples


def _depth(kind: str, asked: int | None, preferred: int, file: str | Path) -> int:
    if asked not in (None, 8, 16):
        raise ParameterError(f"{asked!r} is not 8 or 16", where="depth")
    if asked == 16 and kind not in DEEP:
        raise OutputError(f"{kind} cannot hold 16 bits a channel", where=file, remedy=f"Use {' or '.join(DEEP)}")
    return asked or (preferred if kind in DEEP else 8)


def _options(kind: str, quality: int, exif: Image.Exif | None) -> dict[str, Any]:
    options: dict[str, Any] = {"exif": exif.tobytes()} if exif and kind not in ("BMP", "GIF") else {}
    if kind == "JPEG":  # from 90 on no colour is thrown away
        return options | {"quality": quality, "subsampling": 0 if quality >= 90 else 2}
    if kind == "WEBP":
        return options | {"quality": quality, "lossless": quality == 100, "exact": True}
    if kind == "PNG":  # as small as at Pillow's own 6, in half the time
        return options | {"compress_level": 4}
    if kind == "AVIF":
        return options | {"quality": quality, "speed": 8, "subsampling": "4:4:4" if quality >= 90 else "4:2:0"}
    return options


def readable(exif: bytes | None) -> Image.Exif | None:
    """The EXIF block to write with a picture that has been turned upright; None if there is none, or it is broken."""
    if not exif:
        return None
    out = Image.Exif()
    try:
        out.load(exif)
        if Base.Orientation in out:
            out[Base.Orientation] = 1
        out.tobytes()
    except Exception:  # metadata that cannot be written again is left out; the picture is what was asked for
        return None
    return out


def _only_descriptive(exif: Image.Exif | None) -> Image.Exif:
    out = exif or Image.Exif()
    for tag in out.keys() - set(DESCRIPTIVE):
        del out[tag]
    return out


def _readable_grey(samples: Samples) -> Samples:
    """Pillow, and danqing with it, reads no TIFF of 16-bit grey with alpha: write such a picture in colour."""
    return samples[..., [0, 0, 0, 1]] if samples.shape[2] == 2 and samples.itemsize == 2 else samples


def _lay_down(pieces: Iterable[bytes], file: Path) -> None:
    with file.open("wb") as stream:
        stream.writelines(pieces)

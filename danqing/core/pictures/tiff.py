"""TIFF, read: samples by their tags, of every depth and layout.

tifffile and imagecodecs take the file apart; what the numbers mean is decided here, by the tags alone, or refused.
Source: TIFF 6.0; Adobe Photoshop TIFF Technical Notes (deflate, ExtraSamples); libtiff's list of private tags.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from danqing.core.errors import PictureError
from danqing.core.notes import note
from danqing.core.pictures.exif import (
    DESCRIPTIVE,
    MAIN,
    ORIENTATION,
    RATIONAL,
    RESOLUTION_UNIT,
    X_RESOLUTION,
    Y_RESOLUTION,
    Exif,
    read_from,
)
from danqing.core.pictures.icc_profile import Floats
from danqing.core.pictures.profiles import Space

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
COLOURS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, CIELAB: 3, ICCLAB: 3}
SPACES: dict[int, Space] = {CMYK: "CMYK", CIELAB: "LAB", ICCLAB: "LAB"}
OTHERS = {10: "ITU L*a*b*", 32803: "the raw colours of a camera", 34892: "the raw colours of a camera",
          32844: "logarithmic light", 32845: "logarithmic light", 4: "a mask"}  # fmt: skip
ASSOCIATED, UNASSOCIATED = 1, 2
XMP, ICC, DNG = 700, 34675, 50706
REDUCED, MASK = 1, 4  # bits of NewSubfileType
MOST_SAMPLES = 64
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # or its remarks on odd tags go to standard error


Samples = tuple[Floats, Floats | None, int, Space]  # colours, opacity, bits a channel, and what the colours are


def pages(stream: BinaryIO) -> list[Any]:
    """The pages of a file, without previews and masks.

    Raises:
        ValueError: if it is damaged.
    """
    every: list[Any] = []
    places: set[int] = set()
    for page in tifffile.TiffFile(stream).pages:
        if page.offset in places:  # their chain leads round in a circle
            break
        places.add(page.offset)
        every.append(page.aspage() if hasattr(page, "aspage") else page)
    if any(DNG in page.tags for page in every):
        raise PictureError("is a camera's raw file (DNG)", remedy="Develop it into a TIFF or JPEG first")
    whole = [page for page in every if not int(page.subfiletype) & (REDUCED | MASK)]
    return whole or every


def slices(page: Any) -> int:
    """How many pictures a stack of ImageJ's or tifffile's holds by its own words: it may have one directory for all."""
    try:
        whole, stream = page.parent, page.parent.filehandle
        stream.seek(page.offset)
        tags = int.from_bytes(stream.read(whole.tiff.tagnosize), "little" if whole.byteorder == "<" else "big")
        stream.seek(tags * whole.tiff.tagsize, os.SEEK_CUR)
        is_last = not any(stream.read(whole.tiff.offsetsize))
        series = whole.series if is_last and (whole.is_imagej or whole.is_shaped) else []
        return max((int(each.size) // int(each.keyframe.size) for each in series), default=1)
    except Exception:  # such words may be of any kind, and cost no picture
        return 1


def decode(page: Any, size: int, file: str | Path) -> Samples:
    """Decode one page by its tags.

    Args:
        page: of :func:`pages`.
        size: of the file in bytes.
        file: its name, for notes.

    Raises:
        PictureError: if its numbers have no sure meaning.
    """
    photometric = int(page.photometric)
    if photometric not in COLOURS:
        raise PictureError(f"holds {OTHERS.get(photometric, f'colours of the kind {photometric}')}",
                           where=file, remedy="Save it as RGB")  # fmt: skip
    if max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=False)), default=0) > size:
        raise PictureError("is a truncated TIFF", where=file, remedy="Export or download it again")
    _check_ink(page, file)
    numbers = _unit(_stored(page, photometric, file), page, photometric, file)
    colours = COLOURS[photometric] if photometric != PALETTE else 1
    if numbers.shape[-1] < colours:
        raise PictureError(f"has {numbers.shape[-1]} channels, too few for its colours", where=file)
    pixels, alpha = _parted(numbers, colours, page, file)
    if photometric == WHITE_IS_ZERO:
        pixels = 1 - pixels
    elif photometric == PALETTE:
        pixels = _looked_up(pixels, page, file)
    elif photometric in (CIELAB, ICCLAB):
        pixels = _lab(pixels, page, photometric)
    deep = page.bitspersample > 8 and photometric != PALETTE
    space: Space = "GRAY" if pixels.shape[-1] == 1 else SPACES.get(photometric, "RGB")
    return pixels, alpha, 16 if deep else 8, space


def _check_ink(page: Any, file: str | Path) -> None:
    if int(page.photometric) == CMYK and _tag(page, 332, 1) != 1:
        raise PictureError("holds inks other than cyan, magenta, yellow and black", where=file, remedy="Save it as RGB")
    is_plain = int(page.photometric) == YCBCR and int(page.compression) != 7
    if is_plain and tuple(_tag(page, 530, (2, 2))) != (1, 1):
        raise PictureError("holds subsampled YCbCr", where=file, remedy="Save it as RGB")


def _stored(page: Any, photometric: int, file: str | Path) -> NDArray[Any]:
    """The numbers as they are stored (H, W, C)."""
    if int(page.samplesperpixel) > MOST_SAMPLES:
        raise PictureError(f"has {page.samplesperpixel} channels", where=file, remedy="Keep those of one picture")
    if page.imagedepth > 1:
        raise PictureError(f"holds a volume of {page.imagedepth} layers", where=file, remedy="Save single layers")
    if page.dtype is None:
        raise PictureError(f"has {page.bitspersample} bits a channel", where=file, remedy="Save it with 8 or 16")
    stored: NDArray[Any] = page.asarray()
    if int(page.planarconfig) == 2 and page.samplesperpixel > 1:
        return np.moveaxis(stored.reshape(page.samplesperpixel, page.imagelength, page.imagewidth), 0, -1)
    return stored.reshape(page.imagelength, page.imagewidth, -1)


def _unit(stored: NDArray[Any], page: Any, photometric: int, file: str | Path) -> NDArray[Any]:
    """Numbers in [0, 1] by their depth; indices into a palette, and the signed halves of L*a*b*, as they are."""
    kind, bits = stored.dtype.kind, int(page.bitspersample)
    if kind == "f":
        numbers = stored.astype(np.float32)
        if photometric in (CIELAB, ICCLAB, PALETTE, YCBCR):
            raise PictureError("holds floating-point numbers that are no RGB and no grey", where=file)
        if not np.isfinite(numbers).all():
            raise PictureError("holds values that are no numbers", where=file, remedy="Replace NaN and infinity first")
        if not (numbers.min() >= 0 and numbers.max() <= 1):
            raise PictureError("holds floating-point numbers outside [0, 1]", where=file, remedy="Scale them first")
        return numbers
    if kind == "i" and photometric not in (CIELAB, ICCLAB):
        raise PictureError("holds numbers with a sign", where=file, remedy="Save it with 8 or 16 bits a channel")
    if kind not in "uib":
        raise PictureError(f"holds numbers of the kind {stored.dtype}", where=file, remedy="Save it with 8 or 16 bits")
    if photometric in (PALETTE, CIELAB, ICCLAB):
        return stored
    if photometric == YCBCR and int(page.compression) != 7:
        stored = _from_ycbcr(stored, page, file)
    top = 2.0**bits - 1
    unit: Floats = np.divide(stored, np.float32(top) if bits <= 24 else top, dtype=None if bits > 24 else np.float32)
    return unit.astype(np.float32, copy=False)


def _from_ycbcr(stored: NDArray[Any], page: Any, file: str | Path) -> NDArray[Any]:
    """Full-range YCbCr to RGB (TIFF 6.0, 21), for 8 bits with the usual reference levels."""
    usual = (0, 255, 128, 255, 128, 255)
    levels = _tag(page, 532, None)
    told = usual if levels is None else tuple(a / max(1, b) for a, b in zip(levels[::2], levels[1::2], strict=True))
    if stored.dtype != np.uint8 or told != usual:
        raise PictureError("holds YCbCr of an unusual range", where=file, remedy="Save it as RGB")
    y, cb, cr = (stored[..., at].astype(np.float32) - (128 if at else 0) for at in range(3))
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=-1)
    return np.concatenate([np.clip(rgb, 0, 255), stored[..., 3:]], axis=-1)


def _parted(numbers: NDArray[Any], colours: int, page: Any, file: str | Path) -> tuple[NDArray[Any], Floats | None]:
    """Part colours from opacity, by which premultiplied ones are divided; channels of no known meaning are left out."""
    extra = [int(each) for each in _tuple(page.extrasamples)]
    further = numbers.shape[-1] - colours
    if not extra and further == 1:
        extra = [UNASSOCIATED]  # as those mean it who write a fourth channel without a word
    extra = (extra + [0] * further)[:further]
    opacities = [at for at, kind in enumerate(extra) if kind in (ASSOCIATED, UNASSOCIATED)][:1]
    if left := len(extra) - len(opacities):
        note(f"{file}: {left} further channel{'s' * (left > 1)} of unknown meaning left out")
    pixels = numbers[..., :colours]
    if not opacities:
        return pixels, None
    alpha = numbers[..., colours + opacities[0], None]
    if numbers.dtype.kind != "f":  # indices, or L*a*b*
        alpha = np.divide(alpha, 2.0 ** int(page.bitspersample) - 1, dtype=np.float32)
    if extra[opacities[0]] == ASSOCIATED:
        if numbers.dtype.kind != "f":
            raise PictureError("holds premultiplied colours of an unusual kind", where=file, remedy="Save it as RGB")
        pixels = np.clip(pixels / np.maximum(alpha, 1e-9), 0, 1) * (alpha > 0)
    return pixels, np.ascontiguousarray(alpha, np.float32)


def _looked_up(indices: NDArray[Any], page: Any, file: str | Path) -> Floats:
    stored = np.asarray(_tag(page, 320, ()), np.float32).ravel()
    palette = stored.reshape(3, -1).T if stored.size and stored.size % 3 == 0 else np.zeros((0, 3), np.float32)
    if len(palette) <= int(indices.max()):
        raise PictureError("has no palette for its colours", where=file)
    if palette.max() > 255:  # some programs write bytes, others bytes times 256 where 257 is meant
        palette = palette // 256 if (palette % 256 == 0).all() else np.round(palette / 257)
    colours = palette / 255
    grey = colours[:, :1] if (colours == colours[:, :1]).all() else colours
    return grey.astype(np.float32)[indices[..., 0].astype(np.intp)]


def _lab(stored: NDArray[Any], page: Any, photometric: int) -> Floats:
    """L* in 0…100 and a*, b* around 0: CIELab has them signed, ICCLab with an offset (TIFF Technical Note 4)."""
    bits = int(page.bitspersample)
    whole = stored.astype(np.int64) & (2**bits - 1)
    lightness = whole[..., :1] / (65280 if photometric == ICCLAB and bits == 16 else 2**bits - 1) * 100
    half = 2 ** (bits - 1)
    signed = whole[..., 1:] - half if photometric == ICCLAB else (whole[..., 1:] + half) % (2 * half) - half
    return np.concatenate([lightness, signed / 2 ** (bits - 8)], axis=-1).astype(np.float32)


def _tag(page: Any, code: int, default: Any) -> Any:
    tag = page.tags.get(code)
    return default if tag is None else tag.value


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else () if value is None else (value,)


def bytes_of(page: Any, code: int) -> bytes:
    """The bytes of a tag; empty where there is none."""
    value = _tag(page, code, b"")
    return value if isinstance(value, bytes) else bytes(value) if isinstance(value, tuple) else b""


def exif_of(page: Any, stream: BinaryIO) -> Exif:
    """The EXIF that lies among a page's tags, without those that describe its layout."""
    if page.parent.is_bigtiff:
        found = Exif("<")
        for code in (ORIENTATION, RESOLUTION_UNIT):
            if value := int(_tag(page, code, 0)):
                found.put(code, value)
        for code in (X_RESOLUTION, Y_RESOLUTION):
            if (value := _tag(page, code, None)) and value[1]:
                found.put(code, value[0] / value[1], RATIONAL)
        return found
    found = read_from(stream, page.offset)
    kept = DESCRIPTIVE | {ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT}
    found.tags[MAIN] = {code: value for code, value in found.tags[MAIN].items() if code in kept}
    return found

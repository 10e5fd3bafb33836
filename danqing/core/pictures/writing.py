"""Pictures go into files: bit depth, transparency, recipe and what people say of them, as far as each format can."""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from danqing.core.disk import replacing
from danqing.core.errors import OutputError, ParameterError
from danqing.core.notes import note
from danqing.core.pictures.contract import Images, Picture, check_images, check_mask
from danqing.core.pictures.header import CHUNK, COMMENT, FORMATS, LONGEST_MARKER
from danqing.core.pictures.sides import LONGEST, too_long
from danqing.core.recipe import Recipe, to_json

DEEP = ("PNG", "TIFF")  # formats that hold 16 bits a channel
OPAQUE = ("JPEG", "BMP")  # formats that hold no alpha
IN_XMP = ("JPEG", "WEBP", "AVIF", "TIFF")  # formats whose texts stand in a packet
LONGEST_PACKET = 65502  # bytes of an XMP packet in a JPEG
BAND = 64  # rows of a picture that are rounded at once

Floats = NDArray[np.float32]
Samples = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class _Order:
    """What goes into a file: the samples, and what is said beside them, ready for its format."""

    file: Path
    kind: str
    samples: Samples
    quality: int
    exif: bytes
    resolution: tuple[float, float] | None
    recipe: str | None
    texts: dict[str, str]


def write(
    picture: Picture | Images,
    file: str | Path,
    *,
    depth: int | None = None,
    quality: int = 92,
    recipe: Recipe | None = None,
    force: bool = False,
) -> Path:
    """Write one picture in the format that the suffix names: whole or not at all, the same bytes every time.

    JPEG and BMP hold no alpha: the picture is laid on white, with a note. GIF holds 256 colours. WebP and AVIF keep
    grey as three equal channels. BMP holds no recipe; BMP and GIF hold no EXIF; what a format has no room for is left
    out with a note. Colours are sRGB, and no other profile is written. The EXIF thumbnail, which would show the picture
    before any edit, is left out.

    Args:
        picture: a Picture, or pictures (1, C, H, W).
        file: where to; its folder is made if need be.
        depth: bits a channel, 8, or 16 for PNG and TIFF; None: what the picture came with, if the format can.
        quality: of JPEG, WebP and AVIF, 1…100; WebP at 100 is lossless.
        recipe: how it was made, to be embedded; None: the recipe the picture carries.
        force: replace an existing file.

    Raises:
        OutputError: if it cannot be written, exists already, or has an unknown suffix.
        ParameterError: if the pictures break the image contract or are several.
    """
    whole = picture if isinstance(picture, Picture) else Picture(picture)
    kind = format_of(file)
    pixels, alpha = _planes(whole)
    if max(pixels.shape) > LONGEST[kind]:
        raise too_long(kind, pixels.shape[1], pixels.shape[0], file)
    bits = _depth(kind, depth, whole.depth, file)
    if not 1 <= quality <= 100:
        raise ParameterError(f"{quality!r} is not a whole number in 1…100", where="quality")
    if alpha is not None and kind in OPAQUE:
        note(f"{file}: {kind} holds no transparency; laid on white")
        pixels, alpha = pixels * alpha + (1 - alpha), None
    samples = rounded(pixels if alpha is None else np.concatenate([pixels, alpha], axis=2), bits)
    told = whole.recipe if recipe is None else recipe
    words = None if told is None else to_json(told)
    order = _Order(Path(file), kind, samples, quality, b"", whole.resolution, words, {})
    if whole.exif or whole.resolution or whole.texts:
        from danqing.core.pictures import metadata

        block = metadata.exif_for(whole, kind, file, (pixels.shape[1], pixels.shape[0]))
        order = replace(order, exif=block, texts=metadata.texts_for(whole, kind, file))
    with replacing(file, force=force) as temporary:
        try:
            _save(order, temporary)
        except (ValueError, OverflowError, RuntimeError, struct.error) as error:
            raise OutputError(f"cannot be written as {kind} ({error})", where=file) from error
    return Path(file)


@functools.cache
def suffixes() -> dict[str, str]:
    """The format of every suffix that a picture can be written with."""
    Image.init()
    known = {suffix: kind for suffix, kind in Image.EXTENSION.items() if kind in FORMATS and kind in Image.SAVE}
    return dict(sorted(known.items()))


def format_of(file: str | Path) -> str:
    """The format that a file's suffix asks for.

    Raises:
        OutputError: for an unknown suffix, naming those known.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in suffixes():
        what = f"has an unknown suffix {suffix}" if suffix else "has no suffix"
        raise OutputError(what, where=file, remedy=f"Known: {' '.join(suffixes())}")
    return suffixes()[suffix]


def check_format(file: str | Path, depth: int | None) -> None:
    """Refuse a name that says no format, or a format that cannot hold so many bits a channel.

    Raises:
        OutputError: if it is such.
        ParameterError: for another depth than 8 or 16.
    """
    _depth(format_of(file), depth, 8, file)


def settings(kind: str, recipe: Recipe) -> dict[str, Any]:
    """What Pillow's ``save`` needs to be told to embed a recipe in a format; empty for BMP, which can hold none."""
    return _beside(kind, to_json(recipe), {})


def rounded(x: Floats, depth: int) -> Samples:
    """Round numbers in [0, 1] to whole samples of 8 or 16 bits."""
    top = np.float32(2**depth - 1)
    samples = np.empty(x.shape, np.uint16 if depth == 16 else np.uint8)
    for row in range(0, len(x), BAND):  # at 100 megapixels, one copy of all numbers takes more than a gigabyte
        band = np.s_[row : row + BAND]
        samples[band] = np.clip(x[band], 0, 1) * top + np.float32(0.5)
    return samples


def _planes(picture: Picture) -> tuple[Floats, Floats | None]:
    """Colours (H, W, 1 or 3) and opacity (H, W, 1)."""
    pixels, alpha = check_images(picture.pixels, "picture"), picture.alpha
    if len(pixels) != 1:
        raise ParameterError(f"{len(pixels)} pictures cannot go into one file", where="picture")
    if alpha is not None and check_mask(alpha, "alpha").shape[-2:] != pixels.shape[-2:]:
        raise ParameterError("its size is not that of the picture", where="alpha")
    return _to_array(pixels), None if alpha is None else _to_array(alpha)


def _depth(kind: str, asked: int | None, preferred: int, file: str | Path) -> int:
    if asked not in (None, 8, 16):
        raise ParameterError(f"{asked!r} is not 8 or 16", where="depth")
    if asked == 16 and kind not in DEEP:
        raise OutputError(f"{kind} cannot hold 16 bits a channel", where=file, remedy=f"Use {' or '.join(DEEP)}")
    return asked or (preferred if kind in DEEP else 8)


def _save(order: _Order, temporary: Path) -> None:
    kind, samples = order.kind, order.samples
    if kind == "TIFF":
        from danqing.core.pictures import exif, packet, tiff_writing

        block = exif.parse(order.exif) if order.exif else exif.Exif("<")
        with temporary.open("wb") as stream:
            stream.writelines(tiff_writing.write(samples, block, packet.write(order.recipe, order.texts)))
    elif samples.itemsize == 2:
        from danqing.core.pictures import png

        temporary.write_bytes(png.write_deep(samples, _chunks(order)))
    else:
        image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
        whole = io.BytesIO()  # straight into a file, Pillow takes no notice of a disk that is full
        image.save(whole, format=kind, **_options(order), **_beside_within(order))
        temporary.write_bytes(whole.getbuffer())


def _chunks(order: _Order) -> bytes:
    """The chunks of a PNG beside its pixels."""
    from danqing.core.pictures import png

    made = png.resolution_chunk(order.resolution) if order.resolution else b""
    if order.recipe is not None:
        made += png.text_chunk(CHUNK, order.recipe)
    made += b"".join(png.text_chunk(keyword, text) for keyword, text in order.texts.items())
    return made + (png.chunk(b"eXIf", order.exif[6:]) if order.exif else b"")


def _beside_within(order: _Order) -> dict[str, Any]:
    """What stands beside the pixels, without what a format has no room for: the recipe before the texts."""
    found = _beside(order.kind, order.recipe, order.texts)
    is_full = order.kind == "JPEG" and len(found.get("xmp", b"")) > LONGEST_PACKET
    if order.texts and (is_full or (order.kind == "GIF" and order.recipe is not None)):
        note(f"{order.file}: there was no room for its texts")
        found = _beside(order.kind, order.recipe, {})
    if order.kind == "JPEG" and len(found.get("xmp", b"")) > LONGEST_PACKET:
        note(f"{order.file}: there was no room for the recipe, so it cannot be replayed")
        return {}
    return found


def _beside(kind: str, recipe: str | None, texts: dict[str, str]) -> dict[str, Any]:
    """What Pillow's ``save`` needs to be told to embed a recipe and texts."""
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        for keyword, text in (({} if recipe is None else {CHUNK: recipe}) | texts).items():
            info.add_itxt(keyword, text)
        return {"pnginfo": info}
    if kind == "GIF":
        comment = texts.get("Comment", "") if recipe is None else COMMENT + recipe
        return {"comment": comment.encode("utf-8", "replace")} if comment else {}
    if kind not in IN_XMP or (recipe is None and not texts):
        return {}
    from danqing.core.pictures import packet

    return {"xmp": packet.write(recipe, texts)}


def _options(order: _Order) -> dict[str, Any]:
    kind, quality = order.kind, order.quality
    options: dict[str, Any] = {"exif": order.exif} if order.exif else {}
    if order.resolution and kind in ("PNG", "JPEG", "BMP"):
        options["dpi"] = order.resolution
    if kind == "JPEG" and 0 < len(said := order.texts.get("Comment", "").encode("utf-8", "replace")) <= LONGEST_MARKER:
        options["comment"] = said
    if kind == "JPEG":  # from 90 on no colour is thrown away
        return options | {"quality": quality, "subsampling": 0 if quality >= 90 else 2}
    if kind == "WEBP":
        return options | {"quality": quality, "lossless": quality == 100, "exact": True}
    if kind == "PNG":  # as small as at Pillow's own 6, in half the time
        return options | {"compress_level": 4}
    if kind == "AVIF":
        return options | {"quality": quality, "speed": 8, "subsampling": "4:4:4" if quality >= 90 else "4:2:0"}
    return options


def _to_array(x: Tensor) -> Floats:
    return x.detach().cpu()[0].permute(1, 2, 0).numpy()

"""Pictures come from files: every mode and depth becomes numbers that mean the same, or is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from torch import Tensor

from danqing.core.errors import DanqingError, PictureError
from danqing.core.notes import note
from danqing.core.pictures import png
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.header import Header, opened
from danqing.core.pictures.names import several
from danqing.core.pictures.samples import Floats, Samples
from danqing.core.recipe import Recipe, from_json

if TYPE_CHECKING:
    from danqing.core.pictures.profiles import Space

GREY_STEPS = {"L;2": (2, 85), "L;4": (4, 17), "L": (8, 1)}  # bits, and what Pillow multiplies greys by
COLOUR_FACTS = {b"cICP", b"gAMA", b"cHRM"}


def read(
    file: str | Path | bytes,
    *,
    frame: Literal["only", "first"] = "first",
    limit: int | None = None,
    at_least: int | None = None,
) -> Picture:
    """Read a picture: PNG, JPEG, WebP, TIFF, BMP, GIF or AVIF, told by its contents, not by its name.

    Its EXIF orientation is applied, its colours are converted to sRGB by its profile (a broken profile is ignored,
    with a note), its alpha is kept beside it. Grey stays one channel. Numbers whose meaning is not sure are refused;
    metadata that is broken or huge is left out with a note, never at the price of the picture.

    Args:
        file: the picture file, or its contents.
        frame: of an animation or a file with several pages, ``"first"`` reads the first, with a note; ``"only"``
            refuses the file.
        limit: the most pixels it may have; None: 180 million. The header is judged, before anything is decoded.
        at_least: the side in pixels below which a JPEG must not be shrunk (by 2, 4 or 8) while it is decoded, which is
            several times faster; for callers that shrink it further. None: it is not shrunk.

    Raises:
        PictureError: naming why it cannot be read: missing, empty, truncated, not a picture, too large …
    """
    with opened(file, limit) as header:
        _check_frames(header, frame)
        if at_least is not None and header.kind == "JPEG":
            header.picture.draft(None, (at_least, at_least))
        samples = in_srgb(decoded(header), header)
        orientation, exif, resolution, texts = told(header)
        recipe = _recipe(header)
    alpha = None if samples.alpha is None else tensor(samples.alpha, orientation)
    if orientation > 4 and resolution is not None:
        resolution = resolution[::-1]
    pixels = tensor(samples.pixels, orientation)
    return Picture(pixels, alpha, samples.depth, exif, recipe, resolution, texts)


def _check_frames(header: Header, frame: str) -> None:
    if header.views:
        more = several(header.views, "further picture")
        note(f"{header.file}: holds {more} (another view, depth, or brightness for HDR screens): the first is read")
    if header.frames == 1:
        return
    if frame == "only":
        raise PictureError(
            f"holds {header.frames} frames where a single picture is asked for",
            where=header.file,
            remedy="Save the frame you mean as a picture of its own",
        )
    what = "pages" if header.kind == "TIFF" else "frames"
    note(f"{header.file}: holds {header.frames} {what}, of which the first is read")


def decoded(header: Header) -> Samples:
    """The first frame, in the colours and at the depth of its file."""
    if header.kind == "TIFF":
        from danqing.core.pictures import tiff

        return Samples(*tiff.decode(header.picture, header.stream.seek(0, os.SEEK_END), header.file))
    if header.kind == "PNG" and b"acTL" in header.facts and (shown := _first_shown(header)):
        return shown
    if header.kind == "PNG" and png.bits(header.stream) == 16:
        return _deep(png.deep(header.stream), 65535)
    if header.kind == "AVIF":
        return _of_avif(header)
    if header.kind == "GIF" and header.picture.tile[0][1] != (0, 0, header.width, header.height):
        return _part_of_canvas(header)
    return samples_of(header.picture)


def _part_of_canvas(header: Header) -> Samples:
    """The first frame of a GIF that leaves a part of the canvas empty: nothing is seen there, as viewers have it."""
    from danqing.core.pictures import gif

    header.stream.seek(0)
    canvas, _ = next(gif.frames(header.stream, header.width * header.height))
    whole = _unit(canvas, 255)
    is_grey = bool((canvas[..., :3] == canvas[..., :1]).all())
    return Samples(whole[..., : 1 if is_grey else 3], whole[..., 3:], 8, "GRAY" if is_grey else "RGB")


def _first_shown(header: Header) -> Samples | None:
    """What viewers of animations show first, if anything; the picture for all others may be another one."""
    from danqing.core.pictures import apng

    return next((shown for shown, _ in apng.frames(header.stream, (header.height, header.width), samples_of_png)), None)


def samples_of_png(stream: BinaryIO) -> Samples:
    """Decode a PNG of any depth that holds nothing but pixels."""
    if png.bits(stream) == 16:
        return _deep(png.deep(stream), 65535)
    stream.seek(0)
    return samples_of(PngImagePlugin.PngImageFile(stream))


def _of_avif(header: Header) -> Samples:
    """Pillow decodes 8 bits; of more it would keep no more."""
    from danqing.core.pictures import avif

    bits = avif.bits(header.stream)
    words = avif.deep(header.stream, (header.height, header.width)) if bits > 8 and header.frames == 1 else None
    if words is not None:
        return _deep(words, 2**bits - 1)
    if bits > 8:
        note(f"{header.file}: is read with 8 of its {bits} bits a channel")
    return samples_of(header.picture)


def _deep(words: NDArray[np.uint16], top: int) -> Samples:
    pixels = _unit(words, top)
    colours = 1 if pixels.shape[-1] < 3 else 3
    alpha = pixels[..., colours:] if pixels.shape[-1] > colours else None
    return Samples(pixels[..., :colours], alpha, 16, "GRAY" if colours == 1 else "RGB")


def samples_of(picture: Image.Image) -> Samples:
    """Decode a picture of 8 bits or fewer that Pillow has opened."""
    tiles = getattr(picture, "tile", None)
    raw = tiles[0].args if tiles else ""
    picture.load()
    if picture.mode not in ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK"):
        raise PictureError(f"is of an unusual kind ({picture.mode})", remedy="Save it with 8 or 16 bits a channel")
    if picture.mode == "CMYK":
        return Samples(_array(picture), None, 8, "CMYK")
    is_grey = picture.mode in ("1", "L", "LA", "La") or (picture.mode in ("P", "PA") and _has_grey_palette(picture))
    space: Space = "GRAY" if is_grey else "RGB"
    if not picture.has_transparency_data:
        return Samples(_array(picture.convert("L" if is_grey else "RGB")), None, 8, space)
    whole = _array(_with_full_range_key(picture, raw).convert("RGBA"))
    return Samples(whole[..., : 1 if is_grey else 3], whole[..., 3:], 8, space)


def _with_full_range_key(picture: Image.Image, raw: Any) -> Image.Image:
    """Bring the transparent grey of a shallow PNG to 0–255, as Pillow brings its pixels; only its low bits count."""
    kind = raw[0] if isinstance(raw, tuple) else raw
    key = picture.info.get("transparency")
    if picture.mode == "L" and picture.format == "PNG" and kind in GREY_STEPS and isinstance(key, int):
        bits, step = GREY_STEPS[kind]
        picture.info["transparency"] = (key & (1 << bits) - 1) * step
    return picture


def _has_grey_palette(picture: Image.Image) -> bool:
    colours = np.array(picture.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def in_srgb(samples: Samples, header: Header) -> Samples:
    """Convert colours that a file says something of; most files say nothing."""
    is_plain = samples.space in ("GRAY", "RGB") and not header.exif and header.kind != "AVIF"
    if is_plain and header.icc is None and not COLOUR_FACTS & header.facts.keys():
        return samples
    from danqing.core.pictures.colour import to_srgb

    return samples._replace(pixels=to_srgb(samples.pixels, samples.space, header))


def told(header: Header) -> tuple[int, bytes | None, tuple[float, float] | None, dict[str, str]]:
    """What comes with the pixels of a file: orientation, EXIF, resolution and texts."""
    if header.kind in ("PNG", "GIF") and not (header.facts or header.texts or header.passed_over):
        return 1, None, None, {}
    from danqing.core.pictures.metadata import told

    return told(header)


def _recipe(header: Header) -> Recipe | None:
    text = header.recipe_text()
    try:
        return None if text is None else from_json(text)
    except DanqingError:
        return None  # recipe_of says what is wrong with it


def _array(picture: Image.Image) -> Floats:
    return _unit(np.asarray(picture), 255).reshape(picture.height, picture.width, -1)


def _unit(samples: NDArray[Any], top: int) -> Floats:
    numbers: Floats = np.divide(samples, np.float32(top), dtype=np.float32)
    return numbers


def tensor(a: Floats, orientation: int) -> Tensor:
    """One picture (H, W, C) as (1, C, H, W), turned as EXIF 2.32, table 6, says.

    Orientation names the side of the first row and that of the first column.
    """
    if orientation in (5, 6, 7, 8):
        a = a.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        a = a[:, ::-1]
    if orientation in (3, 4, 7, 8):
        a = a[::-1]
    return torch.from_numpy(np.array(a.transpose(2, 0, 1)[None], np.float32, order="C"))

"""From a picture file to numbers: channels, bit depth, transparency, orientation, colour profile; needs no torch."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.ExifTags import IFD, Base

from danqing.core.errors import DanqingError, PictureError
from danqing.core.notes import note
from danqing.core.pictures import sixteen_bit
from danqing.core.pictures.header import frame_count, hushed, opened
from danqing.core.pictures.profiles import deep_to_srgb, lab_to_srgb, to_srgb
from danqing.core.pictures.recipe_chunk import recipe_text
from danqing.core.recipe import Recipe, from_json

# What is said of the scene, the camera and the people; a TIFF keeps it among tags that describe its own layout.
DESCRIPTIVE = (
    Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist, Base.Copyright,
    IFD.Exif, IFD.GPSInfo,
)  # fmt: skip
Floats = NDArray[np.float32]


class Decoded(NamedTuple):
    """A decoded frame: colours (H, W, 1 or 3) and opacity (H, W, 1) in [0, 1], and what came with them."""

    pixels: Floats
    alpha: Floats | None
    depth: int
    exif: bytes | None
    recipe: Recipe | None


class _Channels(NamedTuple):
    pixels: Floats
    alpha: Floats | None
    depth: int


def decode(
    file: str | Path, frame: Literal["only", "first"] = "first", limit: int | None = None, at_least: int | None = None
) -> Decoded:
    """Decode the first frame of a picture file; see :func:`danqing.core.pictures.reading.read`.

    Raises:
        PictureError: naming why the file cannot be read.
    """
    with opened(file, limit) as picture:
        if frame == "only" and frame_count(picture) > 1:
            raise PictureError(
                f"holds {frame_count(picture)} frames where a single picture is asked for",
                where=file,
                remedy="Save the frame you mean as a picture of its own",
            )
        _check_layout(picture, file)
        if at_least is not None:
            picture.draft(None, (at_least, at_least))  # does nothing but to a JPEG
        raw = sixteen_bit.raw_mode(picture)
        channels = _deep(picture, raw, file, limit) if raw else _loaded(picture, file)
        with hushed():
            exif = picture.getexif()
            # Pillow itself turns a TIFF upright while decoding it.
            orientation = 1 if picture.format == "TIFF" else exif.get(Base.Orientation, 1)
            block = _exif_block(exif, picture.format == "TIFF")
        recipe = _recipe(picture)
    alpha = None if channels.alpha is None else _upright(channels.alpha, orientation)
    return Decoded(_upright(channels.pixels, orientation), alpha, channels.depth, block, recipe)


def _check_layout(picture: ImageFile.ImageFile, file: str | Path) -> None:
    """Refuse a TIFF that Pillow would read wrongly, or whose truncation libtiff would report on its own."""
    tags = getattr(picture, "tag_v2", {})
    if tags.get(Base.PlanarConfiguration) == 2 and max(tags.get(Base.BitsPerSample, (1,))) > 8:
        raise PictureError(
            "has its 16-bit channels in separate planes", where=file, remedy="Save it with interleaved channels"
        )
    for offsets, sizes in ((Base.StripOffsets, Base.StripByteCounts), (Base.TileOffsets, Base.TileByteCounts)):
        ends = map(operator.add, tags.get(offsets, ()), tags.get(sizes, ()))
        if max(ends, default=0) > Path(file).stat().st_size:
            raise PictureError("is a truncated TIFF", where=file, remedy="Export or download it again")


def _loaded(picture: ImageFile.ImageFile, file: str | Path) -> _Channels:
    raw = picture.tile[0].args if picture.tile else ""
    picture.load()
    if picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.uint16)[..., None]
        return _managed(grey, picture.info, file)
    if picture.mode == "F":
        return _Channels(_floating(picture, file), None, 16)
    if picture.mode == "I":
        raise PictureError("holds 32-bit whole numbers", where=file, remedy="Save it with 8 or 16 bits a channel")
    colour, opacity = _eight_bits(picture, raw)
    if icc := picture.info.get("icc_profile"):
        try:
            colour = to_srgb(colour, icc)
        except ValueError as error:
            _warn_of_profile(file, error)
    if colour.mode == "CMYK":
        colour = colour.convert("RGB")
    return _Channels(_array(colour), None if opacity is None else _array(opacity), 8)


def _eight_bits(picture: Image.Image, raw: Any) -> tuple[Image.Image, Image.Image | None]:
    """Split into colours (L, RGB or CMYK) and opacity."""
    if picture.mode == "CMYK":
        return picture, None
    if picture.mode == "LAB":
        return lab_to_srgb(picture), None
    is_grey = picture.mode in ("1", "L", "LA", "La") or (picture.mode in ("P", "PA") and _has_grey_palette(picture))
    if not picture.has_transparency_data:
        return picture.convert("L" if is_grey else "RGB"), None
    full = _with_full_range_key(picture, raw).convert("RGBA")
    return full.getchannel("R") if is_grey else full.convert("RGB"), full.getchannel("A")


def _with_full_range_key(picture: Image.Image, raw: Any) -> Image.Image:
    """Bring the transparent grey of a 2- or 4-bit PNG to 0–255, as Pillow brings its pixels."""
    kind = raw[0] if isinstance(raw, tuple) else raw
    key = picture.info.get("transparency")
    if picture.mode == "L" and kind in ("L;2", "L;4") and isinstance(key, int):
        picture.info["transparency"] = key * (85 if kind == "L;2" else 17)
    return picture


def _has_grey_palette(picture: Image.Image) -> bool:
    colours = np.array(picture.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((colours == colours[:, :1]).all())


def _floating(picture: Image.Image, file: str | Path) -> Floats:
    numbers = np.array(picture, np.float32)[..., None]
    if not (numbers.min() >= 0 and numbers.max() <= 1):
        raise PictureError("holds floating-point numbers outside [0, 1]", where=file, remedy="Scale them first")
    return numbers


def _deep(picture: ImageFile.ImageFile, raw: str, file: str | Path, limit: int | None) -> _Channels:
    words = sixteen_bit.words(file, limit, raw)
    if raw.startswith("RGBa"):
        opacity = words[..., 3:].astype(np.uint32)
        colour = (words[..., :3] * np.uint32(65535) + opacity // 2) // np.maximum(opacity, 1)
        words = np.concatenate([np.minimum(colour, 65535), opacity], axis=2).astype(np.uint16)
    return _managed(words, picture.info, file)


def _managed(words: sixteen_bit.Words, info: dict[Any, Any], file: str | Path) -> _Channels:
    """Part the opacity from 16-bit channels and convert the colours to sRGB."""
    alpha = None
    if words.shape[2] in (2, 4):
        words, alpha = words[..., :-1], _unit(words[..., -1:], 65535)
    elif info.get("transparency") is not None:
        alpha = (words != np.array(info["transparency"])).any(axis=2, keepdims=True).astype(np.float32)
    pixels = _unit(words, 65535)
    if not (icc := info.get("icc_profile")):
        return _Channels(pixels, alpha, 16)
    try:
        return _Channels(deep_to_srgb(pixels, icc), alpha, 16)
    except ValueError:  # a profile that works by tables: LittleCMS knows those, at 8 bits
        return _managed_by_table(words, alpha, icc, file)


def _managed_by_table(words: sixteen_bit.Words, alpha: Floats | None, icc: bytes, file: str | Path) -> _Channels:
    eight = ((words.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    try:
        colour = to_srgb(Image.fromarray(eight[..., 0] if eight.shape[2] == 1 else eight), icc)
    except ValueError as error:
        _warn_of_profile(file, error)
        return _Channels(_unit(words, 65535), alpha, 16)
    return _Channels(_array(colour), alpha, 8)


def _array(picture: Image.Image) -> Floats:
    return _unit(np.asarray(picture), 255).reshape(picture.height, picture.width, -1)


def _unit(samples: NDArray[Any], top: int) -> Floats:
    numbers: Floats = np.divide(samples, np.float32(top), dtype=np.float32)
    return numbers


def _upright(a: Floats, orientation: Any) -> Floats:
    """Turn as EXIF 2.32, table 6 says: orientation names the side of the first row and that of the first column."""
    if orientation in (5, 6, 7, 8):
        a = a.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        a = a[:, ::-1]
    if orientation in (3, 4, 7, 8):
        a = a[::-1]
    return np.ascontiguousarray(a)


def _exif_block(exif: Image.Exif, in_tiff: bool) -> bytes | None:
    """The EXIF as bytes, upright and without the thumbnail, which would show the picture as it was before any edit."""
    kept = {tag: value for tag, value in exif.items() if not in_tiff or tag in DESCRIPTIVE}
    if not kept.keys() - {Base.Orientation}:
        return None
    try:
        for tag in exif.keys() - kept.keys():
            del exif[tag]
        if Base.Orientation in exif:
            exif[Base.Orientation] = 1
        return exif.tobytes()
    except Exception:  # metadata that cannot be written again is left out; the picture is what was asked for
        return None


def _recipe(picture: Image.Image) -> Recipe | None:
    text = recipe_text(picture)
    try:
        return None if text is None else from_json(text)
    except DanqingError:
        return None  # recipe_of says what is wrong with it


def _warn_of_profile(file: str | Path, error: Exception) -> None:
    note(f"{file}: its colour profile is ignored ({error})")

"""The operator compress."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.artefacts.file import File
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask, from_uint8, to_uint8
from danqing.core.pictures.sides import LONGEST, too_long
from danqing.core.progress import Job, Progress
from danqing.maths import fidelity
from danqing.maths.opacity import opacity_of

Format = Literal["jpg", "webp", "avif", "png"]
KINDS = {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF", "png": "PNG"}
ENOUGH = 0.95  # SSIM where nothing is asked for
LOSSLESS = 257  # the level of a PNG above those of 2 … 256 colours
RECIPE = 2048  # bytes set aside for the recipe, or 1/20 of the file if that is less
SHORTEST = 800  # bytes of a recipe in its packet: less need not be set aside
STRIP = 256  # rows that are compared at once
Level = Callable[[int], bytes]


@operator
def compress(
    x: Images,
    format: Format = "jpg",
    size: Annotated[float, Range(0.05, 1_000_000, "kB")] | None = None,
    ssim: Annotated[float, Range(0, 1)] | None = None,
    palette: bool = False,
    alpha: Mask | None = None,
) -> Job[list[File]]:
    """Compress pictures into files of a given size, or as far as they look the same.

    The quality is found by bisection: the best that fits the size, or the least that reaches the SSIM. The file holds
    the recipe and the picture's EXIF, within the size, if that leaves room (for the recipe from about 16 kB on); the
    picture does not depend on them. Colours beyond 8 bits are left out.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        format: of the file; --out photo.webp chooses it, too. WebP and AVIF keep grey as three equal channels.
        size: the most the file may take; 1 kB is 1000 bytes.
        ssim: structural similarity that is to be reached, 1 is equal; without any target it is 0.95 (below 11 px the
            best quality), or a PNG without loss.
        palette: let a PNG have 256 colours or fewer, as few as needed.
        alpha: opacity (B, 1, H, W), by default the picture's own; if all is opaque, it is left out. JPEG holds none:
            pictures that are transparent anywhere are refused. Colours that nobody sees are left out.

    Returns:
        For each picture a file and its figures: ``bytes``, ``bits_per_pixel``, ``quality`` (null for a PNG, which has
        ``colours`` if it has a palette), ``psnr`` in dB (null without loss) and ``ssim`` (null below 11 px), over
        colours weighted by opacity.

    Raises:
        ParameterError: if the target cannot be reached, saying what can.

    Source: danqing; Z. Wang et al., "Image quality assessment", 2004, for SSIM; files by Pillow.

    Examples:
        danqing compress photo.png --size 20 --out small.jpg
        danqing compress photo.png --ssim 0.97 --out small.webp
        danqing compress photo.png --format png --palette --size 120
    """
    if size is not None and ssim is not None:
        raise ParameterError("is given together with a size", where="ssim", remedy="Give one of them")
    if ssim is not None and not _has_ssim(x):
        side = fidelity.SSIM_SIDE
        what = f"needs pictures of at least {side} x {side} px, not {x.shape[3]} x {x.shape[2]}"
        raise ParameterError(what, where="ssim", remedy="Give a size, or neither")
    if palette and format != "png":
        raise ParameterError("only a PNG has one", where="palette", remedy="Choose --format png")
    if max(x.shape[2:]) > LONGEST[KINDS[format]]:
        raise too_long(KINDS[format], x.shape[3], x.shape[2], "format")
    opacity = opacity_of(x, alpha)
    if opacity is not None and format == "jpg":
        raise ParameterError("JPEG holds no transparency", where="format", remedy="Choose webp, avif or png")
    whole = x if opacity is None else torch.cat([x * (opacity > 0), opacity], 1)  # hidden colours are not kept
    limit = None if size is None else int(size * 1000)
    made = []
    for picture in whole.cpu():
        made.append((yield from _compressed(picture[None], format, limit, ssim, palette)))
    return made


def _compressed(x: Tensor, format: Format, limit: int | None, ssim: float | None, palette: bool) -> Job[File]:
    """Find the level of one picture (1, 1…4, H, W) and tell about the file."""
    from PIL import Image

    samples = to_uint8(x)[0]
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    write: Callable[..., bytes] = functools.partial(_written, image, format)
    data = functools.cache(write)
    likeness = functools.cache(lambda level: _ssim(x, _read(data(level), x)))
    lowest, highest = (2 if palette else LOSSLESS, LOSSLESS) if format == "png" else (1, 100)
    if limit is not None:
        level = yield from _largest(range(highest, lowest - 1, -1), data, limit, format)
    elif format == "png" and ssim is None:
        level = 256 if palette else LOSSLESS
    elif ssim is None and not _has_ssim(x):
        level = highest
    else:
        level = yield from _least(range(lowest, highest + 1), likeness, ENOUGH if ssim is None else ssim, format)
    y = _read(data(level), x)
    seen = {**_level(format, level), "psnr": _psnr(x, y), "ssim": likeness(level) if _has_ssim(x) else None}
    return _encoded(data(level), format, x.shape[2] * x.shape[3], seen, lambda more: write(level, **more), limit)


def _encoded(
    data: bytes, format: str, pixels: int, seen: dict[str, Any], again: Callable[[dict[str, Any]], bytes], limit: Any
) -> File:
    """Put together a file and its figures; ``again`` writes it with a recipe inside, which must keep the limit."""

    def embedded(settings: dict[str, Any]) -> File:
        try:
            longer = again(settings)
        except ParameterError:  # such as a recipe of more than 64 kB, which no JPEG holds
            return made
        return made if limit is not None and len(longer) > limit else filled(longer)

    def filled(data: bytes) -> File:
        numbers = {"format": format, "bytes": len(data), "bits_per_pixel": 8 * len(data) / pixels, **seen}
        return File(data, format, numbers, embedded)

    made = filled(data)
    return made


def _largest(levels: Sequence[int], data: Level, limit: int, format: Format) -> Job[int]:
    """The first of falling levels that fits, with the recipe if there is room for both.

    Raises:
        ParameterError: if none does.
    """
    aside = min(RECIPE, limit // 20)
    for most in (limit - aside, limit) if aside >= SHORTEST else (limit,):
        level = yield from _first(levels, functools.partial(_fits, data, most))
        if level is not None:
            return level
    what = f"{limit / 1000:g} kB is too small: {KINDS[format]} takes at least {len(data(levels[-1])) / 1000:g} kB"
    more = "--palette takes less" if levels[-1] == LOSSLESS else "Give more, or make the picture smaller with resize"
    raise ParameterError(what, where="size", remedy=more)


def _least(levels: Sequence[int], likeness: Callable[[int], float], wanted: float, format: Format) -> Job[int]:
    """The first of rising levels that looks enough like the picture.

    Raises:
        ParameterError: if none does.
    """
    level = yield from _first(levels, lambda level: likeness(level) >= wanted)
    if level is None:
        what = f"{wanted:g} is out of reach: {KINDS[format]} reaches {likeness(levels[-1]):.4f} at most"
        raise ParameterError(what, where="ssim", remedy="Ask for less, or choose png, which is without loss")
    return level


def _fits(data: Level, most: int, level: int) -> bool:
    return len(data(level)) <= most


def _first(levels: Sequence[int], wanted: Callable[[int], bool]) -> Job[int | None]:
    """The first level that is as wanted, if all after it are so too, by bisection; None if the last is not."""
    low, high, rounds = 0, len(levels), len(levels).bit_length()
    while low < high:
        middle = (low + high) // 2
        yield Progress(rounds - (high - low).bit_length(), rounds, f"trying {levels[middle]}")
        low, high = (low, middle) if wanted(levels[middle]) else (middle + 1, high)
    return levels[low] if low < len(levels) else None


def _written(image: Any, format: Format, level: int, **more: Any) -> bytes:
    """A file of one level.

    Raises:
        ParameterError: if the format cannot hold the picture.
    """
    if format == "png" and level < LOSSLESS:
        image = _with_colours(image, level)
    options: dict[Format, dict[str, Any]] = {
        "jpg": {"quality": level, "subsampling": 0 if level >= 90 else 2, "optimize": True, "progressive": True},
        "webp": {"quality": level},
        "avif": {"quality": level, "speed": 8, "subsampling": "4:4:4" if level >= 90 else "4:2:0"},
        "png": {"optimize": True},
    }
    try:
        return _saved(image, format, {**options[format], **more})
    except OSError as error:
        if format != "jpg":
            raise ParameterError(f"{KINDS[format]} cannot hold this picture ({error})", where="format") from error
        plain = {"optimize": False, "progressive": False}  # noise outgrows the room that Pillow has for several passes
        return _saved(image, format, {**options[format], **more, **plain})


def _saved(image: Any, format: Format, options: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    try:
        image.save(file, KINDS[format], **options)
    except ValueError as error:
        raise ParameterError(f"{KINDS[format]} cannot hold this picture ({error})", where="format") from error
    return file.getvalue()


def _with_colours(image: Any, count: int) -> Any:
    """Reduce a picture to so many colours, with dithering; octrees are the ones that know opacity."""
    from PIL import Image

    if image.mode in ("LA", "RGBA"):
        return image.convert("RGBA").quantize(count, Image.Quantize.FASTOCTREE)
    return image.quantize(count, Image.Quantize.MEDIANCUT)


def _read(data: bytes, like: Tensor) -> Tensor:
    """Decode a file to pictures with the channels of ``like``."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[like.shape[1]]
        pixels: NDArray[np.uint8] = np.asarray(image.convert(mode))
    return from_uint8(pixels.reshape(1, *like.shape[2:], like.shape[1]))


def _level(format: Format, level: int) -> dict[str, int | None]:
    if format != "png":
        return {"quality": level}
    return {"quality": None, **({"colours": level} if level < LOSSLESS else {})}


def _shown(x: Tensor) -> Tensor:
    """Colours weighted by opacity."""
    return x[:, :-1] * x[:, -1:] if x.shape[1] in (2, 4) else x


def _psnr(x: Tensor, y: Tensor) -> float | None:
    found = float(fidelity.psnr(_shown(x), _shown(y)))
    return found if math.isfinite(found) else None


def _has_ssim(x: Tensor) -> bool:
    return min(x.shape[-2:]) >= fidelity.SSIM_SIDE


def _ssim(x: Tensor, y: Tensor) -> float:
    """SSIM over the whole picture, a strip at a time: its windows' averages need much memory."""
    edge = fidelity.SSIM_SIDE - 1
    windows = max(1, x.shape[2] - edge)
    total = 0.0
    for top in range(0, windows, STRIP):
        count = min(STRIP, windows - top)
        strips = (_shown(each[:, :, top : top + count + edge]) for each in (x, y))
        total += count * float(fidelity.ssim(*strips))
    return total / windows

"""The image contract, and how pictures come from files and go back to them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.embedding import recipe_of as recipe_of
from danqing.core.errors import ParameterError
from danqing.core.recipe import Recipe


@dataclass(frozen=True)
class Tag:
    """Marks what a type means beside what it is; read by :mod:`danqing.core.params`."""

    kind: str


Images = Annotated[Tensor, Tag("pictures")]  # float32 (B, C, H, W), C in {1, 3}, RGB, values in [0, 1], finite
Mask = Annotated[Tensor, Tag("mask")]  # the same with C = 1; 1 means "here"


@dataclass
class Picture:
    """One picture as it lies in a file.

    Attributes:
        pixels: (1, C, H, W); grey pictures have one channel.
        alpha: opacity (1, 1, H, W), 1 is opaque; None where the file has none.
        depth: bits a channel in the file, 8 or 16.
        exif: the EXIF block as bytes, its orientation already applied and reset.
        recipe: how danqing made it; None where the file does not say.
    """

    pixels: Images
    alpha: Mask | None = None
    depth: int = 8
    exif: bytes | None = None
    recipe: Recipe | None = None


def check_images(x: Tensor, name: str = "x") -> Images:
    """Return ``x`` if it keeps the image contract.

    Raises:
        ParameterError: naming what is broken.
    """
    return _check(x, name, (1, 3))


def check_mask(x: Tensor, name: str = "mask") -> Mask:
    """Return ``x`` if it keeps the contract of a mask.

    Raises:
        ParameterError: naming what is broken.
    """
    return _check(x, name, (1,))


def _check(x: Tensor, name: str, channels: tuple[int, ...]) -> Tensor:
    if not isinstance(x, Tensor):
        raise ParameterError(f"must be a torch tensor, not {type(x).__name__}", where=name)
    if x.dtype != torch.float32:
        raise ParameterError(f"must be float32, not {str(x.dtype).removeprefix('torch.')}", where=name)
    if x.ndim != 4 or x.shape[1] not in channels or 0 in x.shape:
        allowed = " or ".join(map(str, channels))
        raise ParameterError(f"must have shape (B, {allowed}, H, W), not {tuple(x.shape)}", where=name)
    low, high = torch.aminmax(x)
    if not bool(low >= 0) or not bool(high <= 1):
        raise ParameterError(f"values must be finite and in [0, 1], found {low:g}…{high:g}", where=name)
    return x


def to_uint8(x: Images) -> NDArray[np.uint8]:
    """Round pictures (B, C, H, W) in [0, 1] to bytes (B, H, W, C)."""
    rounded = x.detach().float().mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
    return rounded.permute(0, 2, 3, 1).contiguous().cpu().numpy()


def from_uint8(a: NDArray[np.uint8]) -> Images:
    """Turn bytes (B, H, W, C) into pictures (B, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(a)).permute(0, 3, 1, 2).contiguous().float().div_(255)


def contact_sheet(x: Images, columns: int, gap: int = 2) -> Images:
    """Lay pictures (B, C, H, W) out on one sheet (1, C, H', W'), row by row, on a white ground.

    Args:
        x: the pictures.
        columns: pictures a row, at least 1.
        gap: white pixels between pictures.
    """
    count, channels, height, width = x.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = x.new_ones(1, channels, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for at, picture in enumerate(x):
        top, left = at // columns * (height + gap), at % columns * (width + gap)
        sheet[0, :, top : top + height, left : left + width] = picture
    return sheet


def read(
    file: str | Path,
    *,
    frame: Literal["only", "first"] = "first",
    limit: int | None = None,
    at_least: int | None = None,
) -> Picture:
    """Read a picture: PNG, JPEG, WebP, TIFF, BMP, GIF or AVIF, told by its contents, not by its name.

    Its EXIF orientation is applied, its colours are converted to sRGB by its profile (a broken profile is ignored,
    with a :class:`~danqing.core.decoding.PictureWarning`), its alpha is kept beside it. Grey stays one channel.

    Args:
        file: the picture file.
        frame: of an animation or a file with several pages, ``"first"`` reads the first; ``"only"`` refuses the file.
        limit: the most pixels it may have; None: 180 million. The header is judged, before anything is decoded.
        at_least: the side in pixels below which a JPEG must not be shrunk (by 2, 4 or 8) while it is decoded, which is
            several times faster; for callers that shrink it further. None: it is not shrunk.

    Raises:
        PictureError: naming why it cannot be read: missing, empty, truncated, not a picture, too large …
    """
    from danqing.core.decoding import decode

    found = decode(file, frame, limit, at_least)
    alpha = None if found.alpha is None else _from_array(found.alpha)
    return Picture(_from_array(found.pixels), alpha, found.depth, found.exif, found.recipe)


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

    JPEG and BMP hold no alpha: the picture is laid on white, with a :class:`~danqing.core.decoding.PictureWarning`. GIF
    holds 256 colours. WebP, AVIF, and TIFF of 16-bit grey with alpha keep grey as three equal channels. BMP holds no
    recipe; BMP and GIF hold no EXIF. The EXIF thumbnail, which would show the picture before any edit, is left out.

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
    from danqing.core.encoding import encode

    whole = picture if isinstance(picture, Picture) else Picture(picture)
    pixels, alpha = check_images(whole.pixels, "picture"), whole.alpha
    if len(pixels) != 1:
        raise ParameterError(f"{len(pixels)} pictures cannot go into one file", where="picture")
    if alpha is not None and check_mask(alpha, "alpha").shape[-2:] != pixels.shape[-2:]:
        raise ParameterError("its size is not that of the picture", where="alpha")
    return encode(
        _to_array(pixels),
        None if alpha is None else _to_array(alpha),
        file,
        depth=depth,
        preferred=whole.depth,
        quality=quality,
        exif=whole.exif,
        recipe=whole.recipe if recipe is None else recipe,
        force=force,
    )


def _from_array(a: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(a.transpose(2, 0, 1)[None]))


def _to_array(x: Tensor) -> NDArray[np.float32]:
    return x.detach().cpu()[0].permute(1, 2, 0).numpy()

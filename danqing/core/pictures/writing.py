"""Pictures go into files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images, Picture, check_images, check_mask
from danqing.core.pictures.encoding import encode
from danqing.core.recipe import Recipe


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

    JPEG and BMP hold no alpha: the picture is laid on white, with a ``PictureWarning``. GIF
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


def _to_array(x: Tensor) -> NDArray[np.float32]:
    return x.detach().cpu()[0].permute(1, 2, 0).numpy()

"""Pictures come from files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.pictures.contract import Picture
from danqing.core.pictures.decoding import decode


def read(
    file: str | Path,
    *,
    frame: Literal["only", "first"] = "first",
    limit: int | None = None,
    at_least: int | None = None,
) -> Picture:
    """Read a picture: PNG, JPEG, WebP, TIFF, BMP, GIF or AVIF, told by its contents, not by its name.

    Its EXIF orientation is applied, its colours are converted to sRGB by its profile (a broken profile is ignored,
    with a ``PictureWarning``), its alpha is kept beside it. Grey stays one channel.

    Args:
        file: the picture file.
        frame: of an animation or a file with several pages, ``"first"`` reads the first; ``"only"`` refuses the file.
        limit: the most pixels it may have; None: 180 million. The header is judged, before anything is decoded.
        at_least: the side in pixels below which a JPEG must not be shrunk (by 2, 4 or 8) while it is decoded, which is
            several times faster; for callers that shrink it further. None: it is not shrunk.

    Raises:
        PictureError: naming why it cannot be read: missing, empty, truncated, not a picture, too large …
    """
    found = decode(file, frame, limit, at_least)
    alpha = None if found.alpha is None else _from_array(found.alpha)
    return Picture(_from_array(found.pixels), alpha, found.depth, found.exif, found.recipe)


def _from_array(a: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(a.transpose(2, 0, 1)[None]))

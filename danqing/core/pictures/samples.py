"""What a decoder makes of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from danqing.core.pictures.profiles import Space

Floats = NDArray[np.float32]


class Samples(NamedTuple):
    """Decoded samples: colours (H, W, C) and opacity (H, W, 1), bits a channel, and what the colours are."""

    pixels: Floats
    alpha: Floats | None
    depth: int
    space: Space


__all__ = ["Floats", "Samples"]

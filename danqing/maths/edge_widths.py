"""How wide the edges in a picture are: what a blur, of a lens or of a movement, has made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

AGAIN = 1.0  # px; width of the second blur that tells how wide the first was
OWN = 1 / 3  # px², the variance that looking from pixel to pixel, two apart, adds
STRONG = 0.04  # contrast a pixel that a slope must have to be an edge, after the second blur
FEWEST = 20  # edge pixels to tell a width from
Plane = np.ndarray[Any, np.dtype[Any]]


def edge_widths(plane: Plane, seen: Plane | None = None) -> Plane:
    """The width in px of the edge through each pixel on the crest of an edge, (N,); of those ``seen`` (H, W) alone.

    An edge of width s, blurred again by t, loses steepness by sqrt(1 + t² / s²).

    Source: S. Zhuo, T. Sim, "Defocus map estimation from a single image", 2011, eq. 6.
    """
    from scipy import ndimage

    first = _steepness(plane)
    again = _steepness(ndimage.gaussian_filter(plane, AGAIN, mode="nearest"))
    crest = (first >= ndimage.maximum_filter(first, 3) - 1e-12) & (again > STRONG)
    crest = crest if seen is None else crest & seen
    ratio = first[crest] / again[crest]
    width = AGAIN**2 / np.maximum(ratio**2 - 1, 1e-4)
    return np.sqrt(np.maximum(width - OWN, 0))  # type: ignore[no-any-return]


def _steepness(plane: Plane) -> Plane:
    """Change from pixel to pixel along the steepest way."""
    wide = np.pad(plane, 1, mode="edge")
    return np.hypot(wide[1:-1, 2:] - wide[1:-1, :-2], wide[2:, 1:-1] - wide[:-2, 1:-1]) / 2  # type: ignore[no-any-return]

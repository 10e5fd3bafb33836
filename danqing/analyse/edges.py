"""The operator edges."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import brightness
from danqing.maths.opacity import opacity_of, unhidden, weights_of

DIRECTIONS = 8  # bins of the histogram of directions, 22.5 degrees each
Plane = np.ndarray[Any, np.dtype[Any]]


class Gradient(NamedTuple):
    """Contrast (H, W) of the edge through each pixel in [0, 1], and its direction (H, W) in degrees, [0, 180)."""

    strength: Plane
    direction: Plane


@operator
def edges(
    x: Images,
    method: Literal["sobel", "canny", "log"] = "canny",
    sigma: Annotated[float, Range(0, 20, "px")] = 1.0,
    low: Annotated[float, Range(0, 1)] = 0.1,
    high: Annotated[float, Range(0, 1)] = 0.2,
    alpha: Mask | None = None,
) -> Figures:
    """Find the edges in pictures: where they are, how strong, and which way they run.

    An edge's strength is the contrast across it: 1 is a step from black to white, whatever ``sigma`` is.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; colour pictures are seen in their brightness.
        method: sobel shows every pixel's strength; canny draws thin lines along the ridges of strength; log draws
            closed lines where the Laplacian of Gaussian changes sign.
        sigma: width of the Gaussian that blurs fine detail away first; 0: none.
        low: weakest strength at which a line goes on.
        high: strength that a line must reach somewhere; for sobel, the strength that counts as an edge.
        alpha: opacity (B, 1, H, W), by default the pictures' own; each pixel counts as much as is seen of it, and where
            a picture ends in transparency is no edge.

    Returns:
        For each picture ``density`` (share of edge pixels), ``strength`` (their mean) and ``direction`` (shares of
        edges running at 0, 22.5, … 157.5 degrees, counter-clockwise from horizontal, weighted by strength; zeros where
        there are none); and the edge map (B, 1, H, W).

    Raises:
        ParameterError: if low is larger than high.

    Source: J. Canny, "A computational approach to edge detection", 1986; D. Marr, E. Hildreth, "Theory of edge
    detection", 1980; I. Sobel, G. Feldman, "A 3×3 isotropic gradient operator", 1968.

    Examples:
        danqing edges photo.png --method canny --sigma 2 --out lines.png
    """
    if low > high:
        raise ParameterError(f"{low:g} is larger than high, {high:g}", where="low")
    opacity = opacity_of(x, alpha)
    weights, numbers, maps = weights_of(x, opacity), [], []
    planes = brightness(unhidden(x, opacity))[:, 0]
    for plane, weight in zip(planes.cpu().double().numpy(), weights.cpu().double().numpy(), strict=True):
        gradient = _gradient(plane, sigma)
        found = _FINDERS[method](plane, gradient, sigma, low, high)
        numbers.append(_described(found, gradient, weight))
        maps.append(gradient.strength if method == "sobel" else found)
    return Figures(numbers, (torch.from_numpy(np.stack(maps)).to(weights) * weights)[:, None])


def _smoothed(plane: Plane, sigma: float) -> Plane:
    from scipy import ndimage

    return ndimage.gaussian_filter(plane, sigma, mode="nearest") if sigma else plane  # type: ignore[no-any-return]


def _gradient(plane: Plane, sigma: float) -> Gradient:
    from scipy import ndimage

    smooth = _smoothed(plane, sigma)
    right, down = (ndimage.sobel(smooth, axis, mode="nearest") for axis in (1, 0))
    strength = np.minimum(np.hypot(right, down) / _of_a_step(sigma), 1)
    return Gradient(strength, np.degrees(np.arctan2(right, down)) % 180)  # along the edge, across the gradient


def _of_a_step(sigma: float) -> float:
    """What the Sobel filter answers at a straight step from 0 to 1 blurred by ``sigma``."""
    half = int(4 * sigma) + 2
    step = _smoothed((np.arange(2 * half) >= half).astype(float), sigma)
    return float(4 * (step[2:] - step[:-2]).max())


def _by_strength(plane: Plane, gradient: Gradient, sigma: float, low: float, high: float) -> Plane:
    return gradient.strength >= high


def _by_canny(plane: Plane, gradient: Gradient, sigma: float, low: float, high: float) -> Plane:
    from skimage.feature import canny

    unit = _of_a_step(sigma)
    return canny(plane, sigma, low * unit, high * unit, mode="nearest")  # type: ignore[no-any-return]


def _by_laplacian(plane: Plane, gradient: Gradient, sigma: float, low: float, high: float) -> Plane:
    from scipy import ndimage

    positive = (response := ndimage.laplace(_smoothed(plane, sigma), mode="nearest")) > 0
    crossing = np.zeros(plane.shape, bool)
    for axis in (0, 1):
        marked, sign, size = (np.swapaxes(each, 0, axis) for each in (crossing, positive, np.abs(response)))
        changes, nearer = sign[1:] != sign[:-1], size[:-1] <= size[1:]
        marked[:-1] |= changes & nearer  # of the two pixels, the one nearer to zero
        marked[1:] |= changes & ~nearer
    lines, count = ndimage.label(crossing & (gradient.strength >= low), np.ones((3, 3)))
    strongest = ndimage.maximum(gradient.strength, lines, np.arange(count + 1))
    return (lines > 0) & (np.asarray(strongest) >= high)[lines]  # type: ignore[no-any-return]


_FINDERS = {"sobel": _by_strength, "canny": _by_canny, "log": _by_laplacian}


def _described(found: Plane, gradient: Gradient, weight: Plane) -> dict[str, Any]:
    strength, share = gradient.strength[found], weight[found]
    bins = np.rint(gradient.direction[found] * DIRECTIONS / 180).astype(int) % DIRECTIONS
    histogram = np.bincount(bins, strength * share, DIRECTIONS)
    return {
        "density": float(share.sum() / weight.sum()),
        "strength": float(strength @ share / share.sum()) if share.any() else 0.0,
        "direction": (histogram / max(histogram.sum(), 1e-12)).tolist(),
    }

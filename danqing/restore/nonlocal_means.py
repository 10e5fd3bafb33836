"""The operator nonlocal_means."""

from __future__ import annotations

import itertools
import math
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.borders import mirrored

FAINT = math.exp(-5)  # weights below this count as none: many faint ones would blur


@operator(reach=lambda radius, patch: radius + patch)
def nonlocal_means(
    x: Images,
    sigma: Annotated[float, Range(0, 255)] = 25,
    radius: Annotated[int, Range(1, 30, "px")] = 8,
    patch: Annotated[int, Range(0, 7, "px")] = 2,
    strength: Annotated[float, Range(0.01, 10)] = 0.7,
) -> Images:
    """Remove noise by averaging pixels whose surroundings look alike.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        sigma: standard deviation of the noise on the 0–255 scale; 0 changes nothing.
        radius: how far the square reaches in which like surroundings are looked for.
        patch: how far the square reaches that is compared.
        strength: how unlike, in units of sigma, surroundings may be beyond what the noise explains; more is smoother.

    Returns:
        Pictures of the same size; no value leaves the range of its neighbourhood.

    Source: A. Buades, B. Coll, J.-M. Morel, "Non-Local Means Denoising", Image Processing On Line, 2011, eq. 1–3 with
        square patches; one displacement at a time: J. Darbon et al., "Fast nonlocal filtering applied to electron
        cryomicroscopy", 2008.

    Examples:
        danqing nonlocal_means photo.png --sigma 20 --radius 10 --out clean.png
    """
    if sigma == 0:
        return x.clone()
    return torch.stack([_filtered(picture, sigma / 255, radius, patch, strength) for picture in x])


def _filtered(picture: Tensor, sigma: float, radius: int, patch: int, strength: float) -> Tensor:
    """Average over one displacement after the other; each serves both of the pixels that it connects."""
    margin = radius + patch
    padded = mirrored(picture, margin)
    total, weights = padded.clone(), torch.ones_like(padded[0])  # each pixel itself, with weight 1
    half_plane = (v for v in itertools.product(range(-radius, radius + 1), repeat=2) if v > (0, 0))
    for down, right in half_plane:
        here, there = _overlap(padded, down, right)
        weight = _unlikeness(here, there, patch).sub_(2 * sigma**2).clamp_(min=0)
        weight = functional.threshold(weight.mul_(-1 / (strength * sigma) ** 2).exp_(), FAINT, 0, inplace=True)
        for target, other in zip(_overlap(total, down, right), (there, here), strict=True):
            target.addcmul_(other, weight)
        for target in _overlap(weights, down, right):
            target += weight
    inner = slice(margin, -margin)
    return (total[:, inner, inner] / weights[inner, inner]).clamp_(0, 1)


def _overlap(x: Tensor, down: int, right: int) -> tuple[Tensor, Tensor]:
    """The pixels that have a partner at this displacement (down ≥ 0), and their partners."""
    height, width = x.shape[-2:]
    first, last = max(-right, 0), width - max(right, 0)
    return x[..., : height - down, first:last], x[..., down:, first + right : last + right]


def _unlikeness(here: Tensor, there: Tensor, patch: int) -> Tensor:
    """The mean squared difference (H, W) of patches around the same places of two pictures (C, H, W)."""
    import cv2

    squares = (here - there).square_().mean(0).cpu().numpy()
    side = 2 * patch + 1
    return torch.from_numpy(cv2.boxFilter(squares, -1, (side, side))).to(here.device)

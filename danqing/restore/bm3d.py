"""The operator bm3d."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.images import Images
from danqing.core.params import Range
from danqing.core.registry import operator
from danqing.maths.bases import cosine, haar, plane, spline_wavelet
from danqing.maths.blocks import alike, coefficients, overlapped, zeros
from danqing.maths.borders import mirrored
from danqing.maths.colour import from_opponent, to_opponent

SIDE = 8  # px of a block
STEP = 4  # px from one group's reference block to the next
RADIUS = 12  # px in which like blocks are looked for, at least
COUNTS = (16, 32)  # blocks a group, in the first stage and in the second
TERMS = 49  # coarse coefficients by which blocks are compared: with fewer, the noise decides what looks alike
THRESHOLD = 2.7  # standard deviations that a coefficient must exceed in the first stage
CHUNK = 8192  # blocks that are worked on together: their numbers stay near the processor
SMALLEST = 16  # px: a smaller picture holds too few blocks and is continued by its mirror image


@operator(reach=124)
def bm3d(x: Images, sigma: Annotated[float, Range(0, 255)] = 25) -> Images:
    """Remove noise by filtering stacks of blocks that look alike together (BM3D).

    Like blocks are stacked and transformed, and what does not exceed the noise is dropped; from this first estimate
    blocks are stacked anew, and a Wiener filter weighs every coefficient of the noisy stack. In colour, blocks are
    compared by brightness and all three channels of opponent colours are filtered.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        sigma: standard deviation of the noise on the 0–255 scale; 0 changes nothing.

    Returns:
        Pictures of the same size, clipped to [0, 1].

    Source: K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
        filtering", 2007, eq. 1–12, and the same authors' "Color image denoising via sparse 3D collaborative filtering
        with grouping constraint in luminance-chrominance space", 2007.

    Examples:
        danqing bm3d photo.png --sigma 20 --out clean.png
    """
    if sigma == 0:
        return x.clone()
    height, width = x.shape[-2:]
    padded = mirrored(x, (0, max(SMALLEST - height, 0), 0, max(SMALLEST - width, 0)))
    colours = to_opponent(padded) if x.shape[1] == 3 else padded
    clean = torch.stack([_denoised(picture, sigma / 255) for picture in colours])
    clean = from_opponent(clean) if x.shape[1] == 3 else clean
    return clean[..., :height, :width].clamp(0, 1)


def _denoised(noisy: Tensor, sigma: float) -> Tensor:
    """Filter one picture (C, H, W) of opponent colours or grey in both stages."""
    window = torch.kaiser_window(SIDE, periodic=False, beta=2.0)
    window = (window[:, None] * window).to(noisy)
    wavelets, waves = (plane(basis).to(noisy) for basis in (spline_wavelet(SIDE), cosine(SIDE)))
    basic = _filtered(noisy, wavelets, window, sigma)
    return _filtered(noisy, waves, window, sigma, basic)


def _filtered(noisy: Tensor, basis: Tensor, window: Tensor, sigma: float, basic: Tensor | None = None) -> Tensor:
    """Run one stage: the first by thresholds, the second, where there is a ``basic`` estimate, by the Wiener filter."""
    channels, height, width = noisy.shape
    table = coefficients(noisy, basis)
    pilot = table if basic is None else coefficients(basic, basis)
    count = COUNTS[basic is not None]
    compared = pilot[:, :TERMS].view(height - SIDE + 1, width - SIDE + 1, TERMS)
    total, weights = (zeros(len(table), columns, like=table) for columns in (table.shape[1], channels))
    across = haar(count).to(table)
    for groups in alike(compared, count, STEP, RADIUS).split(CHUNK // count, 1):
        places = groups.flatten()
        stacks = _stacked(table, places, channels, across)
        if basic is None:
            weight = _threshold(stacks, THRESHOLD * sigma)
        else:
            weight = _attenuate(stacks, _stacked(pilot, places, channels, across), sigma)
        stacks *= weight[..., None]
        total.index_add_(0, places, torch.mm(across.T, stacks.view(count, -1)).view(len(places), -1))
        weights.index_add_(0, places, weight.repeat(count, 1))
    return overlapped(total, weights, torch.linalg.inv(basis), window, height, width)


def _stacked(table: Tensor, places: Tensor, channels: int, across: Tensor) -> Tensor:
    """Take blocks out of the table and transform them along their stacks (count, groups, C, SIDE²)."""
    blocks = table.index_select(0, places)
    return torch.mm(across, blocks.view(len(across), -1)).view(len(across), -1, channels, SIDE * SIDE)


def _threshold(stacks: Tensor, limit: float) -> Tensor:
    """Drop what does not exceed the limit; return the weight (groups, C): the fewer are left, the less noise is."""
    functional.hardshrink(stacks, limit, out=stacks)
    kept: Tensor = torch.linalg.vector_norm(stacks, 0, dim=(0, 3))
    return kept.clamp_(min=1).reciprocal_()


def _attenuate(stacks: Tensor, pilot: Tensor, sigma: float) -> Tensor:
    """Multiply by the share that the picture has in each coefficient; return the weight (groups, C) as above."""
    gain = pilot.square_()
    gain /= gain + sigma**2
    stacks *= gain
    size: Tensor = torch.linalg.vector_norm(gain, 2, dim=(0, 3))
    return size.square_().clamp_(min=0.01).reciprocal_()

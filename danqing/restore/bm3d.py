"""The operator bm3d."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.bases import cosine, from_haar, haar_order, into_haar, plane, spline_wavelet
from danqing.maths.blocks import GRID, REACH, alike, coefficients, overlaid
from danqing.maths.borders import mirrored
from danqing.maths.colour import from_opponent, to_opponent

SIDE = 8  # px of a block
STEP = 4  # px from one group's reference block to the next
RADIUS = 12  # px in which like blocks are looked for, at least
COUNTS = (16, 32)  # blocks a group, in the first stage and in the second
TERMS = 49  # coarse coefficients by which blocks are compared: with fewer, the noise decides what looks alike
THRESHOLD = 2.7  # standard deviations that a coefficient must exceed in the first stage
BAND = 8 * GRID * STEP  # lines of places that are worked on together: their tables are all that needs much memory
CHUNK = 4096  # blocks that are worked on together: their numbers stay near the processor
FAINT = 1e-20  # of a squared coefficient: what is less counts as nothing
SMALLEST = 16  # px: a smaller picture holds too few blocks and is continued by its mirror image


@operator(reach=REACH)
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
    channels, height, width = noisy.shape
    places = min(height, BAND + 2 * RADIUS) * width
    room = noisy.new_empty(3, places, channels * SIDE * SIDE)  # used by all bands
    wavelets, waves = (plane(basis).to(noisy) for basis in (spline_wavelet(SIDE), cosine(SIDE)))
    basic = _filtered(noisy, wavelets, sigma, room)
    return _filtered(noisy, waves, sigma, room, basic)


def _filtered(noisy: Tensor, basis: Tensor, sigma: float, room: Tensor, basic: Tensor | None = None) -> Tensor:
    """Run one stage band by band: first by thresholds, then, where there is a ``basic`` estimate, by Wiener filters."""
    window = torch.kaiser_window(SIDE, periodic=False, beta=2.0)
    window, inverse = (window[:, None] * window).to(noisy), torch.linalg.inv(basis)
    sums, norm = torch.zeros_like(noisy), torch.zeros_like(noisy)
    lines, columns = (size - SIDE + 1 for size in noisy.shape[1:])
    for start in range(0, lines, BAND):
        stop = start + BAND - STEP + 1 if start + BAND < lines else lines
        top, bottom = max(start - RADIUS, 0), min(stop + RADIUS, lines)
        inside = slice(top, bottom + SIDE - 1)
        table = coefficients(noisy[:, inside], basis, room[0])
        pilot = table if basic is None else coefficients(basic[:, inside], basis, room[1])
        compared, count = pilot[:, :TERMS].view(-1, columns, TERMS), COUNTS[basic is not None]
        groups = alike(compared, slice(start - top, stop - top), count, STEP, RADIUS)
        total, weights = _summed(table, pilot, groups[haar_order(count)], sigma, room[2, : len(table)])
        for whole, part in zip((sums, norm), overlaid(total, weights, inverse, window, columns), strict=True):
            whole[:, inside] += part
    return sums / norm


def _summed(table: Tensor, pilot: Tensor, groups: Tensor, sigma: float, total: Tensor) -> tuple[Tensor, Tensor]:
    """Filter the stacks of all groups; return, for each place, the sums of weighted coefficients and of weights."""
    channels = table.shape[1] // SIDE**2
    weights = table.new_zeros(len(table), channels)
    total.zero_()
    for chunk in groups.split(CHUNK // len(groups), 1):
        stacks = _stacked(table, chunk, channels)
        if pilot is table:
            weight = _threshold(stacks, THRESHOLD * sigma)
        else:
            weight = _attenuate(stacks, _stacked(pilot, chunk, channels), sigma)
        stacks *= weight[..., None]
        places = chunk.flatten()
        total.index_add_(0, places, from_haar(stacks.view(len(groups), -1)).view(len(places), -1))
        weights.index_add_(0, places, weight.repeat(len(groups), 1))
    return total, weights


def _stacked(table: Tensor, groups: Tensor, channels: int) -> Tensor:
    """Take blocks out of the table and transform them along their stacks (count, groups, C, SIDE²)."""
    blocks = table.index_select(0, groups.flatten())
    return into_haar(blocks.view(len(groups), -1)).view(*groups.shape, channels, SIDE * SIDE)


def _threshold(stacks: Tensor, limit: float) -> Tensor:
    """Drop what does not exceed the limit; return the weight (groups, C): the fewer are left, the less noise is."""
    functional.hardshrink(stacks, limit, out=stacks)
    kept: Tensor = torch.linalg.vector_norm(stacks, 0, dim=(0, 3))
    return kept.clamp_(min=1).reciprocal_()


def _attenuate(stacks: Tensor, pilot: Tensor, sigma: float) -> Tensor:
    """Multiply by the share that the picture has in each coefficient; return the weight (groups, C) as above."""
    gain = pilot.square_()
    gain /= gain + max(sigma**2, FAINT)
    stacks *= gain
    size: Tensor = torch.linalg.vector_norm(gain, 2, dim=(0, 3))
    return size.square_().clamp_(min=0.01).reciprocal_()

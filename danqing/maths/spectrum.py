"""What repeats at fixed distances in a set of pictures, seen in its spectrum."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.core.pictures.contract import Images
from danqing.maths.full_precision import full_precision

PERIODS = (2, 4, 8)  # px: the strides of nets
SIDE = 16  # px: smaller pictures have too few frequencies to tell
AROUND = 2  # frequencies on either side that a peak is compared with


@full_precision
def grid_strength(x: Images) -> float:
    """How much the frequencies of a grid of 2, 4 or 8 px stand out in the mean power spectrum of pictures (B, C, H, W).

    Along rows and along columns: the power at the grid's frequencies over the median of that beside them, the largest
    over the three periods. About 1 where nothing repeats; pictures below 16 px give 1.

    Source: danqing; that upsampling leaves peaks there: Odena et al. 2016, "Deconvolution and checkerboard artifacts".
    """
    if min(x.shape[-2:]) < SIDE:
        return 1.0
    lines = (_line(x, dim) for dim in (-1, -2))
    return max(_peak(line, period) for line in lines for period in PERIODS)


def _line(x: Images, dim: int) -> Tensor:
    """The power at each frequency along one axis, over pictures, channels and the other axis; the mean left out."""
    length = x.shape[dim] // PERIODS[-1] * PERIODS[-1]
    x = x.float().narrow(dim, 0, length)
    window = torch.hann_window(length, device=x.device)
    moved = (x - x.mean(dim, keepdim=True)).movedim(dim, -1) * window
    power: Tensor = torch.fft.rfft(moved).abs().square().flatten(0, -2).mean(0)
    return power


def _peak(line: Tensor, period: int) -> float:
    """Power at the harmonics of a period against that beside them, both as geometric means over the harmonics."""
    whole = 2 * (len(line) - 1)
    ratios = []
    for at in range(whole // period, len(line), whole // period):
        beside = [each for each in range(at - AROUND - 1, at + AROUND + 2) if 1 <= each < len(line)]
        beside = [each for each in beside if abs(each - at) > 1]  # the window spreads a peak over its next neighbours
        least = 1e-12 * line.sum() + torch.finfo(line.dtype).tiny  # both are nothing in pictures of one colour
        ratios.append(((line[at] + least) / (line[beside].median() + least)).log())
    return float(torch.stack(ratios).mean().exp())


__all__ = ["grid_strength"]

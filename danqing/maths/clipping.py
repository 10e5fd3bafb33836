"""What clipping to [0, 1] does to the mean of noisy values, and how to undo it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

STEPS = 4096  # of the table
NEAR = 5  # px: half the side of the square in which clipped values are counted


def clipped_mean(level: Tensor, sigma: float) -> Tensor:
    """The mean of a level with Gaussian noise after clipping to [0, 1].

    Args:
        level: any shape.
        sigma: standard deviation of the noise in image units, more than 0.

    Returns:
        The same shape, in [0, 1]; dark levels are lifted, bright ones lowered.

    Source: A. Foi, "Clipped noisy images: heteroskedastic modeling and practical denoising", 2009, eq. 10.
    """

    return (_mean_above_zero(level / sigma) - _mean_above_zero((level - 1) / sigma)) * sigma


def _mean_above_zero(level: Tensor) -> Tensor:
    """The mean of max(level + n, 0) for standard normal n."""
    return level * torch.special.ndtr(level) + torch.exp(level.square() / -2) / math.sqrt(2 * math.pi)


def undo_clipping(mean: Tensor, noisy: Tensor, sigma: float) -> Tensor:
    """Find the levels whose clipped mean was estimated, where clipped values were in fact seen.

    The correction is scaled down where fewer values than expected lie at 0 or 1, so that pictures whose noise was not
    clipped keep their shadows and lights.

    Args:
        mean: estimate without noise (C, H, W).
        noisy: what was seen (C, H, W), in [0, 1].
        sigma: standard deviation of the noise in image units, more than 0.

    Returns:
        (C, H, W), in [0, 1].

    Source: A. Foi, 2009, section 4.3 (the inverse of the mean); the count of clipped values: danqing.
    """
    table = torch.linspace(0, 1, STEPS + 1, dtype=torch.float64, device=mean.device)
    means = clipped_mean(table, sigma).to(mean)
    place = torch.searchsorted(means, mean.clamp(means[0], means[-1])).clamp_(1, STEPS)
    low, high = means[place - 1], means[place]
    level = (place - (high - mean.clamp(low, high)) / (high - low).clamp(min=1e-12)) / STEPS
    expected = torch.special.ndtr(-torch.minimum(level, 1 - level) / sigma)
    seen = torch.where(level < 0.5, _local_share(noisy <= 0), _local_share(noisy >= 1))
    return (mean + (level - mean) * (seen / expected).clamp(max=1)).clamp_(0, 1)


def _local_share(mask: Tensor) -> Tensor:
    """The share of the pixels around each (C, H, W) that the mask has."""
    share = mask.float()[None]
    for size, margin in (((2 * NEAR + 1, 1), (NEAR, 0)), ((1, 2 * NEAR + 1), (0, NEAR))):
        share = functional.avg_pool2d(share, size, 1, margin, count_include_pad=False)
    return share[0]

"""How much of each frequency there is in the calm places of a picture: what tells noise from texture."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.maths.bases import cosine, plane
from danqing.maths.colour import to_opponent
from danqing.maths.full_precision import full_precision
from danqing.maths.noise import wholly

SIDE = 8  # px of a block
STEP = 6  # px from a block to the next, at least
MOST = 60_000  # blocks of a picture
BANDS = ((1, 2), (3, 4), (5, 7), (8, 10), (11, 14))  # sums of the frequencies across and down
CALM = (0.02, 0.1, 0.3, 0.6)  # quantiles of the blocks, from the calmest
FAINT = 0.2 / 255  # amplitude that is as good as none
CLIPPED = 0.03  # blocks whose mean is so near black or white, in some colour, are left out: noise is cut off there
LIGHT = (0.1, 0.5, 0.9)  # quantiles of the blocks' brightness
ENOUGH = 0.1  # share of blocks that must be left
COUNT = 3 * len(BANDS) * len(CALM) + 5  # numbers a picture


@full_precision
def calm_bands(x: Images, seen: Tensor | None = None) -> Tensor:
    """Describe pictures (B, 3, H, W) by (B, COUNT) numbers of about -2…2.

    For brightness and both differences of colour, for five bands of frequencies: the logarithm of the amplitude that 2,
    10, 30 and 60 in a hundred blocks do not exceed; then brightness (its 10th, 50th and 90th hundredth), the share of
    blocks that are clipped, and whether there is no colour. Where pixels are not ``seen`` (B, H, W), bool, the blocks
    that touch them are left out, unless there are no others.

    Source: danqing.
    """
    there = x.new_ones(len(x), 1, *x.shape[-2:]) if seen is None else seen[:, None].to(x)
    x, there = (_at_least_a_block(each) for each in (x, there))
    colours = to_opponent(x).flatten(0, 1)[:, None]
    step = _step(x)
    basis = plane(cosine(SIDE)).to(x).view(-1, 1, SIDE, SIDE)
    blocks = functional.conv2d(colours, basis, stride=step).square().flatten(2).unflatten(0, (len(x), 3))
    order = torch.arange(SIDE)[:, None] + torch.arange(SIDE)
    chosen = [((order >= low) & (order <= high)).flatten() for low, high in BANDS]
    power = torch.stack([blocks[:, :, each].mean(2) for each in chosen], 2)  # (B, 3, bands, places)
    means = functional.avg_pool2d(x, SIDE, step).flatten(2)
    kept = wholly(there[:, 0] > 0, SIDE)[:, ::step, ::step].flatten(1)
    return torch.stack([_described(*each) for each in zip(power, means, kept, strict=True)])


def _at_least_a_block(x: Tensor) -> Tensor:
    return functional.pad(x, (0, max(0, SIDE - x.shape[3]), 0, max(0, SIDE - x.shape[2])), mode="replicate")


def _step(x: Images) -> int:
    """Pixels from a block to the next: odd or 6, since JPEG has set frequencies to zero in a rhythm of 8."""
    needed = math.ceil(math.sqrt(x.shape[-2] * x.shape[-1] / MOST))
    return STEP if needed <= STEP else needed | 1


def _described(power: Tensor, means: Tensor, kept: Tensor) -> Tensor:
    if not bool(kept.all()) and bool(kept.any()):
        power, means = power[..., kept], means[:, kept]
    inside = ((means > CLIPPED) & (means < 1 - CLIPPED)).all(0)
    share = inside.to(power).mean()
    ranked = (power[..., inside] if float(share) >= ENOUGH else power).sort(2).values
    quantiles = ranked[..., [int(part * (ranked.shape[2] - 1) + 0.5) for part in CALM]].sqrt()
    amplitudes = ((quantiles + FAINT).log() + 4) / 1.5
    light = means.mean(0).quantile(torch.tensor(LIGHT).to(power))
    colourless = (power[1:].amax() < FAINT**2).to(power)
    return torch.cat([amplitudes.flatten(), 2 * light - 1, torch.stack([1 - share, colourless])])

"""Dropout whose randomness comes from a given generator, and costs little on a processor."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

LEVELS = 1 << 16


def dropout(x: Tensor, rate: float, rng: Generator) -> Tensor:
    """Set a random share of the values to zero and scale the others so that the mean stays.

    One draw of 64 random bits decides over four values, so ``rate`` is met to the nearest 1/65536.

    Args:
        x: any shape; its memory layout is kept.
        rate: the share set to zero, in [0, 1).
        rng: where the bits are drawn from.

    Source: Srivastava et al. 2014; the drawing: danqing.
    """
    dropped = round(rate * LEVELS)
    if dropped == 0:
        return x
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=rng.device)
    bits = words.random_(-(2**63), None, generator=rng).view(torch.int16)[: x.numel()].to(x.device)
    kept = bits >= dropped - LEVELS // 2
    factor = kept.to(x.dtype).mul_(LEVELS / (LEVELS - dropped))
    return x * torch.as_strided(factor, x.size(), x.stride()) if _dense(x) else x * factor.view(x.shape)


def _dense(x: Tensor) -> bool:
    """Whether the values fill their memory without gaps, in whatever order of the axes."""
    return torch.ops.aten.is_non_overlapping_and_dense(x)  # type: ignore[no-any-return]

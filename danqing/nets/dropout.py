"""Dropout whose randomness comes from a given generator, and costs little on a processor."""

from __future__ import annotations

import numpy as np
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

    Source: Srivastava et al. 2014; bits on a processor: SFC64 (C. Doty-Humphrey, 2010), seeded by ``rng``; the drawing:
        danqing.
    """
    dropped = round(rate * LEVELS)
    if dropped == 0:
        return x
    bits = _bits(x.numel(), rng).to(x.device)
    kept = bits.ge_(dropped - LEVELS // 2)  # 0 or 1 in place: of numbers a type is changed faster than of truths
    factor = kept.to(x.dtype).mul_(LEVELS / (LEVELS - dropped))
    return x * torch.as_strided(factor, x.size(), x.stride()) if _dense(x) else x * factor.view(x.shape)


def _bits(count: int, rng: Generator) -> Tensor:
    """Random numbers (count,), int16. A processor draws them from a generator of its own, twice as fast as torch's."""
    words = torch.empty(1 if rng.device.type == "cpu" else -(-count // 4), dtype=torch.int64, device=rng.device)
    words.random_(-(2**63), None, generator=rng)
    if rng.device.type == "cpu":
        seed = int(words) % 2**64
        words = torch.from_numpy(np.random.SFC64(seed).random_raw(-(-count // 4)).view(np.int64))
    return words.view(torch.int16)[:count]


def _dense(x: Tensor) -> bool:
    """Whether the values fill their memory without gaps, in whatever order of the axes."""
    return torch.ops.aten.is_non_overlapping_and_dense(x)  # type: ignore[no-any-return]

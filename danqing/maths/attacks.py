"""Pictures changed a little on purpose, so that a recogniser is wrong about them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images


def fgsm(logits: Callable[[Images], Tensor], x: Images, label: Tensor, most: float) -> Images:
    """Move every value by ``most`` in the direction that the loss rises in.

    Args:
        logits: the recogniser: pictures (B, C, H, W) to scores (B, classes).
        x: the pictures.
        label: their right classes, int64 (B,).
        most: how far a value may move, in [0, 1].

    Returns:
        the pictures changed, (B, C, H, W) in [0, 1].

    Source: Goodfellow et al. 2015, arXiv:1412.6572, section 4.
    """
    return (x + most * _slope(logits, x, label).sign()).clamp(0, 1)


def pgd(
    logits: Callable[[Images], Tensor], x: Images, label: Tensor, most: float, rng: torch.Generator, steps: int = 10
) -> Images:
    """Climb the loss in ``steps`` steps from a random place, never further than ``most`` from any value of the picture.

    Args:
        logits: the recogniser: pictures (B, C, H, W) to scores (B, classes).
        x: the pictures.
        label: their right classes, int64 (B,).
        most: how far a value may move, in [0, 1].
        rng: chooses where to begin.
        steps: each of a quarter of ``most``.

    Returns:
        the pictures changed, (B, C, H, W) in [0, 1].

    Source: Madry et al. 2018, arXiv:1706.06083, section 2.1.
    """
    low, high = (x - most).clamp(0, 1), (x + most).clamp(0, 1)
    moved = (x + most * (2 * torch.rand(x.shape, generator=rng).to(x) - 1)).clamp(0, 1)
    for _ in range(steps):
        moved = (moved + most / 4 * _slope(logits, moved, label).sign()).clamp(low, high)
    return moved


def _slope(logits: Callable[[Images], Tensor], x: Images, label: Tensor) -> Tensor:
    with torch.enable_grad():
        seen = x.detach().clone().requires_grad_()
        loss = F.cross_entropy(logits(seen), label, reduction="sum")
        (slope,) = torch.autograd.grad(loss, seen)
    return slope


__all__ = ["fgsm", "pgd"]

"""Which pictures are worth labelling next: those a model is unsure of, and that are unlike one another."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def uncertainty(chances: Tensor) -> Tensor:
    """How unsure a model is of pictures (N,), 0…1: the entropy of probabilities (N, K), as a share of the highest."""
    classes = max(chances.shape[1], 2)
    entropy: Tensor = torch.special.entr(chances).sum(1)
    return entropy / math.log(classes)


def doubt(chances: Tensor) -> float:
    """How unsure a model is of the thing of which it is least sure, 0…1: the largest entropy, in bits, of chances (N,).

    Of no thing it is 0: nothing is there that it doubts.
    """
    both = torch.stack([chances, 1 - chances], 1).clamp(0, 1)
    return float(uncertainty(both).max()) if len(chances) else 0.0


def worth_labelling(features: Tensor, unsure: Tensor, count: int) -> list[int]:
    """Choose pictures one after another, each the one with the largest product of doubt and distance.

    Args:
        features: (N, D); their lengths do not count.
        unsure: (N,), how unsure the model is of each.
        count: how many are chosen, at most.

    Returns:
        Their indices, the most worth first.

    Source: O. Sener, S. Savarese, "Active learning for convolutional neural networks: a core-set approach", 2018
    (greedy distances), weighted by entropy; danqing.
    """
    unit = torch.nn.functional.normalize(features.float(), dim=1)
    near = torch.ones(len(unit))
    chosen: list[int] = []
    for _ in range(min(count, len(unit))):
        worth = (unsure + 1e-3) * near
        worth[chosen] = -1
        chosen.append(int(worth.argmax()))
        near = torch.minimum(near, (unit - unit[chosen[-1]]).norm(dim=1))
    return chosen


__all__ = ["doubt", "uncertainty", "worth_labelling"]

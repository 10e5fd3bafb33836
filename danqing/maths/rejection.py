"""Rejection: which of many samples a model itself takes for real."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.core.learned.model import Painter
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress

TOGETHER = 64  # pictures that are judged at once


def judged(model: Painter, x: Images, y: Tensor | None) -> Job[Tensor]:
    """What a model thinks of pictures (N, C, size, size) of these classes (N,): (N,), more is better."""
    found = []
    for at in range(0, len(x), TOGETHER):
        yield Progress(at, len(x), "judged")
        some = slice(at, at + TOGETHER)
        with torch.no_grad():
            found.append(model.judge(x[some], None if y is None else y[some]))
    return torch.cat(found)


def best_within_classes(logits: Tensor, y: Tensor | None, count: int) -> Tensor:
    """The numbers (count,) of the best: those with the highest rank, as a share, within their own class (N,)."""
    share, y = torch.zeros(len(logits)), torch.zeros(len(logits)) if y is None else y
    for each in y.unique():
        own = (y == each).nonzero()[:, 0]
        order = logits[own].argsort(descending=True, stable=True)
        share[own[order]] = torch.arange(len(own)) / len(own)
    return share.argsort(stable=True)[:count].sort().values

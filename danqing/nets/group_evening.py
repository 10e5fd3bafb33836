"""Normalising groups of maps as the whole picture would, where only a part of it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class GroupEvenness(NamedTuple):
    """What groups of maps are normalised by: their means and deviations, each (1, groups, 1, 1, 1)."""

    mean: Tensor
    deviation: Tensor


class GroupEvening:
    """Does the work of the group normalisations of a net in turn, by statistics other than the maps' own.

    Args:
        known: the statistics of every layer; None: they are taken over the whole batch, of parts of one picture.
    """

    def __init__(self, known: Sequence[GroupEvenness] | None = None) -> None:
        self.known = None if known is None else iter(known)
        self.seen: list[GroupEvenness] = []

    def __call__(self, norm: nn.Module, x: Tensor) -> Tensor:
        assert isinstance(norm, nn.GroupNorm)
        maps = x.float().unflatten(1, (norm.num_groups, -1))
        own = _evenness(maps, norm.eps) if self.known is None else next(self.known)
        self.seen.append(own)
        even = ((maps - own.mean) / own.deviation).flatten(1, 2).to(x.dtype)
        weight, bias = (each[:, None, None].to(x.dtype) for each in (norm.weight, norm.bias))
        made: Tensor = even * weight + bias
        return made


def normalised(norm: nn.Module, x: Tensor, even: GroupEvening | None) -> Tensor:
    """Normalise maps by their own statistics, or by those of the whole."""
    made: Tensor = norm(x) if even is None else even(norm, x)
    return made


def _evenness(maps: Tensor, least: float) -> GroupEvenness:
    variance, mean = torch.var_mean(maps, (0, 2, 3, 4), correction=0, keepdim=True)
    return GroupEvenness(mean, (variance + least).sqrt())


__all__ = ["GroupEvening", "GroupEvenness", "normalised"]

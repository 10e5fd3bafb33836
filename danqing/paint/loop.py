"""A film without beginning or end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.artefacts.film import Film, Reel
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import coded_by_chunks
from danqing.core.operators.operator import operator
from danqing.maths.latents import class_rule, latent


@operator
def loop(
    weights: Painter,
    seed: Seed = 0,
    frames: Annotated[int, Range(2, 10_000)] = 96,
    turns: Annotated[int, Range(1, 16)] = 2,
    label: Label | None = None,
    truncation: Annotated[float, Range(0, 1)] = 1.0,
) -> Film:
    """Paint a film that ends where it begins, without a jerk on the way.

    The latent goes round in circles of several speeds at once. At every moment it is as likely a latent as any, so no
    frame is poorer than another.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        seed: chooses the way.
        frames: how many frames one round has.
        turns: how many speeds are mixed; more show more different pictures in one round.
        label: the class to paint, by name or number; left out: the class that the seed draws.
        truncation: how far from the mean picture it may go; 1: as learnt, 0: not at all.

    Returns:
        frames at 24 a second; the last is followed by the first.

    Raises:
        ParameterError: for a label that the model does not know.

    Source: danqing; a trigonometric series whose coefficients are unit Gaussians and whose weights' squares add up to 1
    is unit Gaussian at every moment.

    Examples:
        danqing loop runs/dcgan-1 --seed 4 --frames 120 --label 3 --out loop.mp4
    """
    rule = class_rule(weights, seed, label)
    waves = torch.stack([latent(weights.latent, seed, number) for number in range(2 * turns)])
    device = next(weights.parameters()).device

    def codes(numbers: Sequence[int]) -> Tensor:
        z = torch.stack([_round_and_round(waves, frame / frames) for frame in numbers]).to(device)
        y = None if rule is None else torch.full((len(numbers),), rule(0), device=device)
        return weights.codes(z, y, truncation)

    return Film(Reel(lambda: coded_by_chunks(weights, frames, codes)), count=frames)


def _round_and_round(waves: Tensor, share: float) -> Tensor:
    """The latent at a share of the round: (2 turns, *latent) to (*latent)."""
    turns = len(waves) // 2
    angles = 2 * math.pi * share * torch.arange(1, turns + 1, dtype=torch.float64)
    weights = torch.cat([angles.cos(), angles.sin()]).float() / math.sqrt(turns)
    z: Tensor = torch.tensordot(weights, waves, 1)
    return z

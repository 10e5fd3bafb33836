"""The averaged weights: what a painter shows and what is saved as the model."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch

from danqing.core.learned.model import Model

M = TypeVar("M", bound=Model)


class Ema:
    """An exponential moving average of a model's weights with a half-life counted in pictures.

    At the start the half-life is a twentieth of what was seen, so that the first random weights are soon forgotten.
    Buffers (batch statistics, counters) are copied, not averaged.

    Args:
        model: what is trained.
        half_life: pictures after which old weights count half; 0 copies.

    Source: Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix (ramp-up).
    """

    RAMP = 0.05

    def __init__(self, model: Model, half_life: float) -> None:
        self.half_life = half_life
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: Model, batch: int, seen: int) -> None:
        """Move towards ``model`` after a step on ``batch`` pictures, the last of ``seen``."""
        half_life = min(self.half_life, seen * self.RAMP)
        beta = 0.5 ** (batch / half_life) if half_life > 0 else 0.0
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - beta)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)

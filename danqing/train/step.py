"""One step of training: the same dozen lines for every family, on one process or many."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn

from danqing.core.learned.model import Model, Optimiser, Samples
from danqing.train.muon import Muon, takes


class Stepper:
    """Steps every part of a model on its own loss, with its own Adam, and Muon for kernels where the settings say so.

    Args:
        model: what is trained, on its device.
        settings: the optimisers'.
        precision: bf16 (mixed) or fp32.
        fabric: Lightning Fabric, when there may be several processes.
        clip: largest gradient norm of a part; 0 does not clip.
    """

    def __init__(
        self, model: Model, settings: Optimiser, precision: str, fabric: Any = None, clip: float = 0.0
    ) -> None:
        from lightning_fabric.plugins.precision import MixedPrecision, Precision

        device = next(model.parameters()).device.type
        self.model, self.fabric, self.clip = model, fabric, clip
        self.precision = MixedPrecision("bf16-mixed", device) if precision == "bf16" else Precision()
        self.parameters = {part: _trainable(model, part) for part in model.parts}
        self.optimisers = {part: _optimisers(parameters, settings) for part, parameters in self.parameters.items()}

    def step(self, batch: Samples, rng: Generator, rate: float = 1.0) -> dict[str, float]:
        """Train on a batch at ``rate`` times the learning rate; return each part's loss, averaged over processes."""
        losses: dict[str, float] = {}
        parts = self.model.losses(batch, rng)
        while True:
            with self.precision.forward_context():
                part, loss = next(parts, ("", None))
            if loss is None:
                return losses
            self.precision.backward(loss, None, inputs=self.parameters[part])
            self._average(self.parameters[part])
            if self.clip:
                nn.utils.clip_grad_norm_(self.parameters[part], self.clip)
            for optimiser in self.optimisers[part]:
                optimiser.param_groups[0]["lr"] = optimiser.defaults["lr"] * rate
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            losses[part or "loss"] = float(self._mean(loss.detach()))

    def _average(self, parameters: list[nn.Parameter]) -> None:
        """Average the gradients of one part over the processes, as one flat message."""
        if self._alone():
            return
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        flat = self._mean(torch.cat([gradient.reshape(-1) for gradient in gradients]))
        for parameter, gradient in zip(parameters, flat.split([g.numel() for g in gradients]), strict=True):
            parameter.grad = torch.empty_like(parameter).copy_(gradient.view(parameter.shape))

    def _mean(self, value: Tensor) -> Tensor:
        if self._alone():
            return value
        averaged: Tensor = self.fabric.all_reduce(value, reduce_op="mean")
        return averaged

    def _alone(self) -> bool:
        return self.fabric is None or self.fabric.world_size == 1


def _trainable(model: Model, part: str) -> list[nn.Parameter]:
    module = model.get_submodule(part) if part else model
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def _optimisers(parameters: list[nn.Parameter], settings: Optimiser) -> tuple[torch.optim.Optimizer, ...]:
    """Adam, and Muon for kernels if it is wanted; between them they hold all parameters."""
    kernels = [each for each in parameters if settings.muon and takes(each)]
    others = [each for each in parameters if not (settings.muon and takes(each))]
    made: list[torch.optim.Optimizer] = [Muon(kernels, settings.muon)] if kernels else []
    if others:
        decay = settings.weight_decay
        made.append(torch.optim.AdamW(others, settings.lr, settings.betas, weight_decay=decay, fused=True))
    return tuple(made)

"""One step of training: the same dozen lines for every family, on one process or many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Generator, Tensor, nn

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.training.muon import Muon, takes
from danqing.training.teaching import Teacher

Settings: TypeAlias = Optimiser | Mapping[str, Optimiser]


@contextmanager
def _one_refused() -> Iterator[None]:
    """Say it in our own words where batch statistics are to be taken of a single picture.

    Raises:
        ParameterError: in place of torch's ValueError.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        what = "a step of one picture has no batch statistics, which this model normalises by"
        remedy = "Give --batch 2 or more for each process, or --norm none where the family has it"
        raise ParameterError(what, where="batch", remedy=remedy) from error


class Stepper:
    """Steps every part of a model on its own loss, with its own Adam, and Muon for kernels where the settings say so.

    Args:
        model: what is trained, on its device.
        settings: the optimisers', one for all parts or one for each.
        precision: bf16 (mixed) or fp32.
        fabric: Lightning Fabric, when there may be several processes.
        clip: largest gradient norm of a part; 0 does not clip.
        frozen: weights that stay as they are; their optimisers keep what they remember of them.
        factors: what the learning rate of some weights is multiplied by.
        teacher: whom the model also learns from.
    """

    def __init__(
        self,
        model: Model,
        settings: Settings,
        precision: str,
        fabric: Any = None,
        clip: float = 0.0,
        frozen: Collection[nn.Parameter] = (),
        factors: Mapping[nn.Parameter, float] | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        from lightning_fabric.plugins.precision import MixedPrecision, Precision

        device = next(model.parameters()).device.type
        self.model, self.fabric, self.clip, self.teacher = model, fabric, clip, teacher
        self.precision = MixedPrecision("bf16-mixed", device) if precision == "bf16" else Precision()
        self.parameters = {part: _trainable(model, part) for part in model.parts}
        by_part = settings_by_part(model, settings)
        self.optimisers = {
            part: _optimisers(mine, by_part[part], factors or {}) for part, mine in self.parameters.items()
        }
        self.learning = {part: [p for p in mine if p not in frozen] for part, mine in self.parameters.items()}

    @_one_refused()
    def step(self, batch: Samples, rng: Generator, rate: float = 1.0) -> dict[str, float]:
        """Train on a batch at ``rate`` times the learning rate; return each part's loss, averaged over processes.

        Raises:
            ParameterError: for a batch of one that the model has no statistics of.
        """
        losses: dict[str, float] = {}
        teacher = self.teacher
        parts = self.model.losses(batch, rng) if teacher is None else teacher.losses(self.model, batch, rng)
        while True:
            with self.precision.forward_context():
                part, loss = next(parts, ("", None))
            if loss is None:
                return losses
            if self.learning[part]:
                self._learn(part, loss, rate)
            losses[part or "loss"] = float(self._mean(loss.detach()))

    def _learn(self, part: str, loss: Tensor, rate: float) -> None:
        """Step a part on its loss; what is frozen gets no gradient, so that its optimiser passes over it."""
        parameters = self.learning[part]
        self.precision.backward(loss, None, inputs=parameters)
        self._average(parameters)
        if self.clip:
            nn.utils.clip_grad_norm_(parameters, self.clip)
        for optimiser in self.optimisers[part]:
            optimiser.param_groups[0]["lr"] = optimiser.defaults["lr"] * rate
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

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


def settings_by_part(model: Model, settings: Settings) -> dict[str, Optimiser]:
    """The settings of each part.

    Raises:
        TypeError: if there are settings for some parts only, or for parts that a family does not have (its mistake).
    """
    if isinstance(settings, Optimiser):
        return dict.fromkeys(model.parts, settings)
    if settings.keys() != set(model.parts):
        raise TypeError(f"{model.family} has the parts {model.parts} and optimisers for {tuple(settings)}")
    return dict(settings)


def _trainable(model: Model, part: str) -> list[nn.Parameter]:
    module = model.get_submodule(part) if part else model
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def _optimisers(
    parameters: list[nn.Parameter], settings: Optimiser, factors: Mapping[nn.Parameter, float]
) -> tuple[torch.optim.Optimizer, ...]:
    """Adam, and Muon for kernels if it is wanted, for each factor of the rate; together they hold all parameters."""
    made: list[torch.optim.Optimizer] = []
    for factor in dict.fromkeys(factors.get(each, 1.0) for each in parameters):
        mine = [each for each in parameters if factors.get(each, 1.0) == factor]
        kernels = [each for each in mine if settings.muon and takes(each)]
        others = [each for each in mine if not (settings.muon and takes(each))]
        if kernels:
            made.append(Muon(kernels, settings.muon * factor))
        if others:
            decay, lr = settings.weight_decay, settings.lr * factor
            made.append(torch.optim.AdamW(others, lr, settings.betas, weight_decay=decay, fused=True))
    return tuple(made)

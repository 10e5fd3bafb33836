"""Everything a run needs to go on exactly where it was: captured in one file, restored bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from danqing.core.errors import ModelFileError
from danqing.core.learned.model import Model
from danqing.core.learned.weights import load_tensors, save_tensors
from danqing.train.doctor import Doctor
from danqing.train.ema import Ema
from danqing.train.step import Stepper

KEEP = 2  # checkpoints


@dataclass
class Position:
    """Where a run is: steps done, pictures seen, seconds used, and its best score so far."""

    step: int = 0
    seen: int = 0
    seconds: float = 0.0
    best: float | None = None
    log_bytes: int = 0
    doctor: Doctor = field(default_factory=Doctor)


class Checkpoints:
    """The last checkpoints of a run: model, averaged weights, optimisers, generators and position, one file each."""

    def __init__(self, folder: Path, model: Model, ema: Ema, stepper: Stepper, rng: Generator) -> None:
        self.folder, self.model, self.ema, self.stepper, self.rng = folder, model, ema, stepper, rng

    def save(self, position: Position, generators: Tensor) -> Path:
        """Write a checkpoint and forget the oldest; ``generators`` holds the generator states of all processes.

        Raises:
            OutputError: if it cannot be written; the earlier ones survive.
        """
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"ema.{name}": tensor for name, tensor in self.ema.model.state_dict().items()}
        tensors |= {f"momenta.{name}": tensor for name, tensor in self._momenta().items()}
        tensors["generators"] = generators
        card = {"kind": "checkpoint", "family": self.model.family, "config": self.model.config, **asdict(position)}
        file = save_tensors(tensors, self.folder / f"{position.step:09}.safetensors", card)
        for old in self.files()[:-KEEP]:
            old.unlink(missing_ok=True)
        return file

    def files(self) -> list[Path]:
        """The checkpoints, oldest first."""
        return sorted(self.folder.glob("[0-9]*.safetensors"))

    def restore(self, rank: int) -> Position:
        """Take up the last checkpoint that is whole.

        Raises:
            ModelFileError: if none is.
        """
        reason: ModelFileError | None = None
        for file in reversed(self.files()):
            try:
                return self._take_up(*load_tensors(file), rank)
            except ModelFileError as error:
                reason = error
        raise reason or ModelFileError("no checkpoint to go on from", where=self.folder)

    def _take_up(self, card: dict[str, Any], tensors: dict[str, Tensor], rank: int) -> Position:
        self.model.load_state_dict(_under("model.", tensors))
        self.ema.model.load_state_dict(_under("ema.", tensors))
        momenta = _under("momenta.", tensors)
        for key, optimiser, parameter in self._stepped():
            saved = _under(f"{key}.", momenta)
            optimiser.state[parameter] = {name: _like(tensor, parameter) for name, tensor in saved.items()}
        states = tensors["generators"][rank if rank < len(tensors["generators"]) else 0]
        size = len(self.rng.get_state())
        self.rng.set_state(states[:size].clone())
        torch.set_rng_state(states[size:].clone())
        known = {name: card[name] for name in Position.__dataclass_fields__}
        return Position(**{**known, "doctor": Doctor(**card["doctor"])})

    def _momenta(self) -> dict[str, Tensor]:
        """The optimisers' state by part, index of the parameter, and name."""
        return {
            f"{key}.{name}": value
            for key, optimiser, parameter in self._stepped()
            for name, value in optimiser.state.get(parameter, {}).items()
        }

    def _stepped(self) -> Iterator[tuple[str, torch.optim.Optimizer, nn.Parameter]]:
        """Every parameter with its optimiser, under its part and index."""
        for part, optimisers in self.stepper.optimisers.items():
            index = {parameter: at for at, parameter in enumerate(self.stepper.parameters[part])}
            for optimiser in optimisers:
                for parameter in optimiser.param_groups[0]["params"]:
                    yield f"{part}.{index[parameter]}", optimiser, parameter


def generator_state(rng: Generator) -> Tensor:
    """The states of the run's generator and of torch's own, as one row of bytes."""
    return torch.cat([rng.get_state(), torch.get_rng_state()])


def check_finite(model: Model) -> bool:
    """Whether all weights are finite numbers."""
    return all(bool(tensor.isfinite().all()) for tensor in model.state_dict().values() if tensor.is_floating_point())


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Give an optimiser's tensor its parameter's device and memory layout (a step count has no layout)."""
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape and tensor.ndim else tensor


__all__ = ["Checkpoints", "Position", "check_finite", "generator_state"]

"""Everything a run needs to go on exactly where it was: captured in one file, restored bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from danqing.core.errors import ModelFileError
from danqing.core.learned.card import CHECKPOINT
from danqing.core.learned.model import Model
from danqing.core.learned.weights import load_tensors, save_tensors
from danqing.training.adaptive import Adaptive
from danqing.training.doctor import Doctor
from danqing.training.ema import Ema
from danqing.training.step import Stepper

KEEP = 2  # checkpoints
TRAINED, AVERAGED, MOMENTA = "model.", "ema.", "momenta."  # what names of tensors begin with


@dataclass
class Position:
    """Where a run is.

    Attributes:
        step: steps done.
        seen: pictures seen.
        lost: pictures seen in steps that were taken back; they count in the budget.
        seconds: time used.
        best: its best score so far.
        log_bytes: how long its log was.
        stage: the number of its stage, from 0.
        stage_seen: pictures seen when that began.
        good: the step of the last checkpoint at a look where nothing was amiss.
        doctor: the doctor's history.
        adaptive: the state of adaptive augmentation.
        lineage: the models that its own comes of, as their cards tell them.
    """

    step: int = 0
    seen: int = 0
    lost: int = 0
    seconds: float = 0.0
    best: float | None = None
    log_bytes: int = 0
    stage: int = 0
    stage_seen: int = 0
    good: int = 0
    doctor: Doctor = field(default_factory=Doctor)
    adaptive: Adaptive = field(default_factory=Adaptive)
    lineage: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The position as JSON values."""
        names = [each.name for each in fields(self) if each.name not in ("doctor", "adaptive")]
        parts = {"doctor": self.doctor.to_json(), "adaptive": asdict(self.adaptive)}
        return {**{name: getattr(self, name) for name in names}, **parts}

    @classmethod
    def from_json(cls, card: dict[str, Any]) -> Position:
        """The position that a checkpoint's card tells."""
        known = {each.name: card[each.name] for each in fields(cls) if each.name in card}
        adaptive = Adaptive(**card.get("adaptive", {}))
        return cls(**{**known, "doctor": Doctor.from_json(card["doctor"]), "adaptive": adaptive})


class Saved(NamedTuple):
    """A checkpoint as it was read: what is known of it, and its tensors."""

    card: dict[str, Any]
    tensors: dict[str, Tensor]


class Checkpoints:
    """The last checkpoints of a run: model, averaged weights, optimisers, generators and position, one file each."""

    def __init__(self, folder: Path, model: Model, ema: Ema, stepper: Stepper, rng: Generator) -> None:
        self.folder, self.model, self.ema, self.stepper, self.rng = folder, model, ema, stepper, rng

    def save(self, position: Position, generators: Tensor, facts: dict[str, Any], folder: Path) -> Path:
        """Write a checkpoint and forget the oldest, but for the last where nothing was amiss.

        Args:
            position: where the run is.
            generators: the generator states of all processes.
            facts: what else its card tells, as JSON values.
            folder: where to write it.

        Raises:
            OutputError: if it cannot be written; the earlier ones survive.
        """
        card = {**facts, "kind": CHECKPOINT, "family": self.model.family, "config": self.model.config}
        file = _file(folder, position.step)
        save_tensors(self.captured(generators), file, {**card, **position.to_json()})
        for old in checkpoints_in(folder)[:-KEEP]:
            if old != _file(folder, position.good):
                old.unlink(missing_ok=True)
        return file

    def good(self, position: Position) -> Saved:
        """Read the last checkpoint where nothing was amiss; the newest where an earlier danqing did not keep that.

        Raises:
            ModelFileError: if it cannot be read.
        """
        file = _file(self.folder, position.good)
        return Saved(*load_tensors(file)) if file.exists() else newest(self.folder)

    def forget_after(self, step: int) -> None:
        """Remove the checkpoints of steps that were taken back."""
        for file in checkpoints_in(self.folder):
            if int(file.stem) > step:
                file.unlink(missing_ok=True)

    def captured(self, generators: Tensor) -> dict[str, Tensor]:
        """Everything that decides the next step, as tensors; ``generators`` holds the states of all processes."""
        return {**self._weights(), "generators": generators}

    def broken(self) -> str:
        """The name of a tensor that is not finite; empty if all are."""
        return _broken(self._weights())

    def take_up(self, tensors: dict[str, Tensor], rank: int) -> None:
        """Become what a checkpoint holds.

        Raises:
            ModelFileError: if its weights are of another shape.
        """
        try:
            self.model.load_state_dict(_under(TRAINED, tensors))
            self.ema.model.load_state_dict(_under(AVERAGED, tensors))
        except RuntimeError as error:
            raise ModelFileError(f"its checkpoint does not fit ({str(error)[:200]})", where=self.folder) from error
        momenta = _under(MOMENTA, tensors)
        for key, optimiser, parameter in self._stepped():
            saved = _under(f"{key}.", momenta)
            optimiser.state[parameter] = {name: _like(tensor, parameter) for name, tensor in saved.items()}
        states = tensors["generators"][rank if rank < len(tensors["generators"]) else 0]
        size = len(self.rng.get_state())
        self.rng.set_state(states[:size].clone())
        torch.set_rng_state(states[size:].clone())

    def _weights(self) -> dict[str, Tensor]:
        tensors = {f"{TRAINED}{name}": tensor for name, tensor in self.model.state_dict().items()}
        tensors |= {f"{AVERAGED}{name}": tensor for name, tensor in self.ema.model.state_dict().items()}
        return tensors | {f"{MOMENTA}{name}": tensor for name, tensor in self._momenta().items()}

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
    """The states of a run's generator and of torch's own, as one row of bytes."""
    return torch.cat([rng.get_state(), torch.get_rng_state()])


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(folder.glob("[0-9]*.safetensors"))


def newest(folder: Path) -> Saved:
    """Read the last checkpoint that is whole and whose numbers are sound.

    Raises:
        ModelFileError: if none is.
    """
    reason: ModelFileError | None = None
    for file in reversed(checkpoints_in(folder)):
        try:
            saved = Saved(*load_tensors(file))
        except ModelFileError as error:
            reason = reason or error
            continue
        if not (name := _broken(saved.tensors)):
            return saved
        reason = reason or ModelFileError(f"its weights are broken: {name} is not finite", where=file)
    raise reason or ModelFileError("no checkpoint to go on from", where=folder)


def _file(folder: Path, step: int) -> Path:
    return folder / f"{step:09}.safetensors"


def _broken(tensors: dict[str, Tensor]) -> str:
    floating = ((name, tensor) for name, tensor in tensors.items() if tensor.is_floating_point())
    return next((name for name, tensor in floating if not bool(tensor.isfinite().all())), "")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Give an optimiser's tensor its parameter's device and memory layout (a step count has no layout)."""
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape and tensor.ndim else tensor


__all__ = ["TRAINED", "Checkpoints", "Position", "Saved", "checkpoints_in", "generator_state", "newest"]

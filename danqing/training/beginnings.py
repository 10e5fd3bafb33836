"""What a run builds upon: weights it begins with, and a teacher; told before it starts, and kept in its card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from torch import nn

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.model import Model, Painter
from danqing.training.adapting import adapt_for
from danqing.training.build import settings_of
from danqing.training.config import TrainConfig, new_part
from danqing.training.freezing import check_learning, freeze, rates_of
from danqing.training.setup import Supplies
from danqing.training.teaching import Teacher
from danqing.training.transfer import Transfer, begin_with, descent


class Beginning(NamedTuple):
    """What a run builds upon.

    Attributes:
        transfer: what it took over from other weights; None if it begins anew.
        frozen: how many numbers do not learn.
        lineage: the models that its own comes of.
        told: all of it in words, a line each; none for a plain run.
    """

    transfer: Transfer | None
    frozen: int
    lineage: list[dict[str, Any]]
    told: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON values for a plan."""
        taken = None if self.transfer is None else self.transfer.to_json()
        return {"loaded": taken, "frozen": self.frozen, "lineage": self.lineage, "words": list(self.told)}


def take_over(config: TrainConfig, model: Model, supplies: Supplies) -> Transfer | None:
    """Give a new model the weights that its run is to begin with, and adapters where these are asked for.

    Raises:
        ModelFileError: if none of them fits.
        ParameterError: if there is nothing to adapt, or it was to take parts from elsewhere.
    """
    return None if config.options.from_ is None else begun_with(config, model, supplies.train.classes)


def begun_with(config: TrainConfig, model: Model, classes: Sequence[str]) -> Transfer:
    """The same for a run that has weights to begin with; ``classes`` are those of the pictures.

    Raises:
        ModelFileError: if none of them fits.
        ParameterError: if there is nothing to adapt, or it was to take parts from elsewhere.
    """
    assert config.options.from_ is not None
    part = new_part(config)
    for name in (*model.holds, *(part[:1] if part else ())):
        what = f"the weights to begin with bring what they learned with, which --{name} would replace"
        raise ParameterError(what, where=name, remedy=f"Leave out --{name}, or --from")
    known = classes if model.config.get("classes") else ()
    transfer = begin_with(model, config.options.from_, tuple(map(str, known)))
    return replace(transfer, adapted=adapt_for(config, model, transfer.loaded))


def beginning(config: TrainConfig, model: Model, transfer: Transfer | None, teacher: Teacher | None) -> Beginning:
    """Sum up what a run builds upon.

    Args:
        config: of its first stage.
        model: in training mode; what is frozen is put in evaluation mode.
        transfer: what was taken over.
        teacher: whom it also learns from.
    """
    frozen = sum(weight.numel() for weight in freeze(model, config.options.freeze))
    lineage = [] if transfer is None else descent(transfer.card, "from", **transfer.to_json())
    lineage += [each for name, card in model.holds.items() for each in descent(card, name)]
    if teacher is not None:
        lineage += descent(teacher.model.card, "teacher", weight=teacher.weight)
    return Beginning(transfer, frozen, lineage, tuple(_told(config, model, transfer, teacher, frozen)))


def same_teacher(teacher: Teacher | None, lineage: list[dict[str, Any]]) -> None:
    """See that a run that goes on learns from whom it learned.

    Raises:
        ModelFileError: if the teacher's weights are others now.
    """
    if teacher is None:
        return
    known = lineage[-1] if lineage else {}
    if known.get("how") != "teacher" or known["sha256"] != teacher.model.card.get("sha256"):
        remedy = "Bring the teacher's file back (--teacher says where it lies now), or begin another run"
        raise ModelFileError("is not the teacher that the run was begun with", where=teacher.where, remedy=remedy)


def _told(
    config: TrainConfig, model: Model, transfer: Transfer | None, teacher: Teacher | None, frozen: int
) -> Iterator[str]:
    options = config.options
    if transfer is not None:
        yield from transfer.told()
    for name, card in model.holds.items():
        yield f"Holds as its {name}: {card['file']} ({_millions(model.get_submodule(name))}, not learned any more)"
    if teacher is not None:
        yield f"Taught by {teacher.where} ({_millions(teacher.model)}, the new model {_millions(model)})"
    if frozen:
        yield f"Frozen: {options.freeze} ({frozen / _numbers(model):.0%} of all numbers)"
        if transfer is None and isinstance(model, Painter):  # what finds things begins with a net that knows pictures
            yield "What is frozen has learned nothing yet and stays as chance made it: --from begins with what has"
    factors = options.rates or model.rates
    if transfer is not None or frozen or factors:
        rates = ", ".join(f"{part or 'all'} {each.lr:.3g}" for part, each in settings_of(config, model).items())
        rates_of(model, factors)
        yield f"Learning rates: {rates}" + (f"; times {factors.replace('=', ' ')}" if factors else "")
    yield from check_learning(model, options.freeze, options.rates)


def _numbers(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def _millions(model: nn.Module) -> str:
    return f"{_numbers(model) / 1e6:.3g} million numbers"


__all__ = ["Beginning", "beginning", "begun_with", "same_teacher", "take_over"]

"""A part that a model will hold, such as the codec of a flow, learned first: a run of its own, inside the run's folder.

The way into every new training: where nothing is to be learned first, it is the loop's own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from danqing.core.errors import OutputError, UserError
from danqing.core.fields.budget import Budget
from danqing.core.fields.part import PartKind
from danqing.core.notes import note
from danqing.core.progress import Job, shared
from danqing.training import loop, record
from danqing.training.auto import train_best
from danqing.training.config import TrainConfig, family_fields, new_part
from danqing.training.record import holds_run
from danqing.training.refusals import refuse_at_once, refuse_new

SHARE = 0.25  # of the budget that goes into the part
CARRIED = (  # options that tell of pictures and machine, which the part learns with as well
    "labels", "size", "channels", "fit", "augment", "doctor", "precision", "seed", "threads", "device", "devices",
    "stream", "skip_bad", "licence",
)  # fmt: skip


def train_whole(config: TrainConfig, *, force: bool = False, auto: bool = False) -> Job[loop.RunResult]:
    """Train a model, and before it the part that is to be new, on a quarter of the budget.

    The part's run lies in the run's folder, under the parameter's name. If it is stopped, the same call goes on with
    it; a part that was learned so is taken as it is.

    Args:
        config: what to train on what, and how.
        force: whether to replace a run that is in the folder, and its part.
        auto: whether to choose rate and gamma by short runs on a fifth of the budget.

    Raises:
        UserError: as :func:`danqing.training.loop.train` does.
        OutputError: if the folder holds a part that was begun otherwise.
        TrainingFailed: if the numbers broke again and again.
    """
    begin: Callable[..., Job[loop.RunResult]] = train_best if auto else loop.train
    part = new_part(config)
    if part is None:
        _recommend(config)
    return begin(config, force=force) if part is None else _after_part(config, part, force, begin)


def _after_part(
    config: TrainConfig, part: tuple[str, str], force: bool, begin: Callable[..., Job[loop.RunResult]]
) -> Job[loop.RunResult]:
    name, family = part
    path = config.options.out or record.free_folder(config.family)
    if holds_run(path) and not force:
        remedy = "Go on with --resume, choose another --out, or give --force"
        raise OutputError("holds a run", where=path, remedy=remedy)
    refuse_at_once(config, config.options.devices)
    refuse_new(config, config.options.devices)
    budget = Budget.parse(config.options.budget)
    carried = {each: getattr(config.options, each) for each in CARRIED}
    mine = {**carried, "budget": budget.times(SHARE).text(), "out": path / name}
    asked = TrainConfig.make(family, config.data, **mine)
    model = yield from shared(_learned(asked, path / name, force), 0.0, SHARE, family)
    rest = dataclasses.replace(config, params={**config.params, name: str(model)})
    rest = rest.with_options(out=path, budget=budget.times(1 - SHARE).text())
    return (yield from shared(begin(rest, force=force), SHARE, 1 - SHARE))


def _recommend(config: TrainConfig) -> None:
    """Say where a part would pay, of which nothing is said."""
    if config.options.from_ is not None:
        return
    for each in family_fields(config.family):
        kind = each.kind
        if not isinstance(kind, PartKind) or kind.pays_from is None or config.params[each.name]:
            continue
        if config.side >= kind.pays_from:
            remedy = f"--{each.name} new trains one first, on a quarter of the budget"
            note(f"Pictures of {config.side} px are learned sooner with a {kind.family}: {remedy}")


def _learned(asked: TrainConfig, folder: Path, force: bool) -> Job[Path]:
    """The part's weights: learned from the beginning, or to the end of the run that is there."""
    if force or not holds_run(folder):
        return (yield from loop.train(asked, force=force)).model
    if not _the_same(folder, asked):
        remedy = "Choose another --out, or give --force to learn it anew"
        raise OutputError(f"holds a {asked.family} that was begun otherwise", where=folder, remedy=remedy)
    finished = folder / record.MODEL
    return finished if finished.exists() else (yield from loop.resume(folder)).model


def _the_same(folder: Path, asked: TrainConfig) -> bool:
    """Whether a run was begun as it would be now; a precision that was measured then stays."""
    try:
        begun = TrainConfig.of_run(folder / record.CONFIG)
    except UserError:
        return False
    return _told(begun.with_options(precision=asked.options.precision)) == _told(asked)


def _told(config: TrainConfig) -> dict[str, Any]:
    return dict(json.loads(json.dumps({**config.to_json(), "out": None})))


__all__ = ["SHARE", "train_whole"]

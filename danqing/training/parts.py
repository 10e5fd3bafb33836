"""What is done before a run: a part that its model will hold, such as a flow's codec, learns, or settings are tried.

Either is done by runs of their own, inside the run's folder. This is the way into every training, new or going on:
where nothing is to be done first, it is the loop's own.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

from danqing.core.errors import OutputError, UserError
from danqing.core.fields.budget import Budget
from danqing.core.notes import note
from danqing.core.progress import Job, shared
from danqing.training import loop, record
from danqing.training.auto import being_chosen, train_best
from danqing.training.config import SHARE, TrainConfig, new_part, parts_in
from danqing.training.options import GOING_ON
from danqing.training.plan import founded
from danqing.training.process import apart
from danqing.training.record import holds_run, write_json
from danqing.training.refusals import share_of_budget
from danqing.training.state import checkpoints_in

CARRIED = (  # options that tell of pictures and machine, which the part learns with as well
    "labels", "size", "channels", "fit", "augment", "doctor", "precision", "seed", "threads", "device", "devices",
    "stream", "skip_bad", "licence",
)  # fmt: skip


class Whole(NamedTuple):
    """A run whose part learns first: what the run is to be, its folder, and the part's parameter and family."""

    config: TrainConfig
    auto: bool
    path: Path
    name: str
    family: str

    @property
    def folder(self) -> Path:
        """The folder of the part's own run."""
        return self.path / self.name

    def keep(self) -> None:
        """Write down what is to be, until its run begins, which takes this file away."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.path / record.WHOLE, {"auto": self.auto, "run": self.config.to_json()})


def train_whole(config: TrainConfig, *, force: bool = False, auto: bool = False) -> Job[loop.RunResult]:
    """Train a model, and before it the part that is to be new, on a quarter of the budget.

    The part's run lies in the run's folder, under the parameter's name.

    Args:
        config: what to train on what, and how.
        force: whether to replace a run that is in the folder, and its part.
        auto: whether to choose rate and gamma by short runs on a fifth of the budget.

    Raises:
        UserError: as :func:`danqing.training.loop.train` does.
        TrainingFailed: if the numbers broke again and again.
    """
    part = new_part(config)
    if part is None:
        _recommend(config)
        return train_best(config, force=force) if auto else loop.train(config, force=force)
    path = config.options.out or record.free_folder(config.family)
    return _begun(Whole(config.with_options(out=path), auto, path, *part), force)


def resume_whole(folder: str | Path, **changes: Any) -> Job[loop.RunResult]:
    """Go on with a run, or with what is done before it: a part that learns, or settings that are tried.

    Args:
        folder: the run folder.
        changes: as of :func:`danqing.training.loop.resume`.

    Raises:
        UserError: as that does.
    """
    path = Path(folder)
    file, chosen = path / record.WHOLE, None
    if not file.is_file():
        file, chosen = path / record.TRYING / record.WHOLE, being_chosen(path)
        if chosen is None:
            return loop.resume(path, **changes)
    try:
        kept: dict[str, Any] = {"auto": True, "run": chosen} if chosen else json.loads(file.read_text("utf-8"))
        auto, config = bool(kept["auto"]), _as_kept(kept["run"], path, changes)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        remedy = "Begin it again with --force"
        raise UserError("does not say what the run is to be", where=file, remedy=remedy) from error
    if chosen is not None:
        return train_best(config, again=True)
    part = new_part(config)
    return _learned(Whole(config, auto, path, *part), changes) if part else train_whole(config, force=True, auto=auto)


def _as_kept(run: dict[str, Any], path: Path, changes: dict[str, Any]) -> TrainConfig:
    """The run that is to be, as it was written down before it began, and as it was changed since."""
    known = {**run["params"], **run}
    family, data = known.pop("family"), known.pop("data")
    asked = {name: value for name, value in changes.items() if name not in (*GOING_ON, "data")}
    del known["params"]
    return TrainConfig.make(family, changes.get("data_") or data, **{**known, **asked, "out": path})


def can_go_on(folder: Path) -> bool:
    """Whether a run in a folder, or the part that learns before it, has something to go on from."""
    if not (folder / record.WHOLE).is_file() and being_chosen(folder) is None:
        return (folder / record.CONFIG).is_file() and bool(checkpoints_in(folder / record.CHECKPOINTS))
    within = (*folder.iterdir(), *(folder / record.TRYING).glob("*"))
    return any(checkpoints_in(each / record.CHECKPOINTS) for each in within if each.is_dir())


def _begun(whole: Whole, force: bool) -> Job[loop.RunResult]:
    config = whole.config
    for each in () if force else (whole.path, whole.folder):
        if holds_run(each):
            remedy = "Go on with --resume, choose another --out, or give --force"
            raise OutputError("holds a run", where=each, remedy=remedy)
    yield from apart(founded(config))
    return (yield from _learned(whole, {}, anew=True))


def _learned(whole: Whole, changes: dict[str, Any], anew: bool = False) -> Job[loop.RunResult]:
    """Let the part learn, from the beginning or to the end of its run, and then the model that holds it."""
    config, name = whole.config, whole.name
    whole.keep()
    budget = Budget.parse(config.options.budget)
    model = yield from shared(_part(whole, budget.times(SHARE).text(), changes, anew), 0.0, SHARE, whole.family)
    rest = dataclasses.replace(config, params={**config.params, name: str(model)})
    rest = rest.with_options(budget=budget.times(1 - SHARE).text())
    job = train_best(rest, force=True, again=not anew) if whole.auto else loop.train(rest, force=True)
    return (yield from shared(job, SHARE, 1 - SHARE))


def _part(whole: Whole, budget: str, changes: dict[str, Any], anew: bool) -> Job[Path]:
    """The part's weights."""
    options, folder = whole.config.options, whole.folder
    if not anew and (folder / record.MODEL).exists():
        return folder / record.MODEL
    if not anew and checkpoints_in(folder / record.CHECKPOINTS):
        moved = {each: changes[each] for each in (*CARRIED, *GOING_ON) if changes.get(each) is not None}
        return (yield from loop.go_on_within(folder, budget, **moved)).model
    carried = {each: getattr(options, each) for each in CARRIED}
    asked = TrainConfig.make(whole.family, whole.config.data, **{**carried, "budget": budget, "out": folder})
    with share_of_budget(SHARE, f"the {whole.name}"):
        return (yield from loop.train(asked, force=True)).model


def _recommend(config: TrainConfig) -> None:
    """Say where a part would pay, of which nothing is said."""
    if config.options.from_ is not None:
        return
    for name, kind in parts_in(config.family).items():
        if kind.pays(config.side) and not config.params[name]:
            remedy = f"--{name} new trains one first, on a quarter of the budget"
            note(f"Pictures of {config.side} px are learned sooner with a {kind.family}: {remedy}")


__all__ = ["can_go_on", "resume_whole", "train_whole"]

"""Choosing the learning rate and the penalty by short runs, the better half of which goes on: successive halving."""

from __future__ import annotations

import json
import math
import shutil
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from danqing.core.errors import OutputError, ParameterError, TrainingFailed, UserError
from danqing.core.fields.budget import Budget
from danqing.core.json_text import json_text
from danqing.core.learned.model import Model
from danqing.core.progress import Job, Progress, shared
from danqing.nets.adversary import plays
from danqing.training import record
from danqing.training.build import new_model, settings_of
from danqing.training.config import TrainConfig, family_fields
from danqing.training.loop import RunResult, go_on_within, train
from danqing.training.record import holds_run, read_log
from danqing.training.refusals import refuse_at_once, refuse_new, share_of_budget
from danqing.training.setup import batch_share, gather_pictures
from danqing.training.state import checkpoints_in

SHARE = 0.2  # of the budget that goes into choosing
TRIED = ((1.0, 1.0), (0.5, 1.0), (2.0, 1.0), (1.0, 4.0), (0.5, 4.0), (0.25, 4.0))  # times the usual rate and gamma


class Trial(NamedTuple):
    """A short run: its settings, and its last score (less is better); None if its numbers broke."""

    folder: Path
    values: dict[str, float]
    score: float | None


class _Tried:
    """The short runs of a run to be, in a folder: what it is to be, and how they scored, for who goes on.

    Args:
        config: of the run to be.
        path: its folder.
        again: whether to go on with short runs of the same run to be, where there are any.
    """

    def __init__(self, config: TrainConfig, path: Path, again: bool) -> None:
        self.folder = path / record.TRYING
        self._made = [each for each in (path, *path.parents) if not each.exists()]
        self._run = _alone(config.to_json())
        kept = _kept(self.folder)
        self._goes_on = again and _alone(kept.get("run")) == self._run
        self._scores: dict[str, float | None] = kept["scores"] if self._goes_on else {}
        if not self._goes_on:
            shutil.rmtree(self.folder, ignore_errors=True)

    def bring(self, at: int, values: dict[str, float], config: TrainConfig, rounds: int) -> Job[Trial]:
        """Bring a trial, counted from 0, to the end of a round, counted from 1, if it is not there yet."""
        folder, name = self.folder / f"{at + 1}", f"{at + 1} in round {rounds}"
        if name not in self._scores:
            self._keep()
            try:
                self._scores[name] = yield from _score(folder, values, config, rounds)
            except UserError:
                self._leave_no_trace()
                raise
            self._keep()
        return Trial(folder, values, self._scores[name])

    def _keep(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        record.write_json(self.folder / record.WHOLE, {"run": self._run, "scores": self._scores})

    def _leave_no_trace(self) -> None:
        """Where nothing was tried yet, leave everything as it was."""
        if self._scores or self._goes_on:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for each in self._made:
            with suppress(OSError):  # somebody put something there
                each.rmdir()


def _score(folder: Path, values: dict[str, float], config: TrainConfig, rounds: int) -> Job[float | None]:
    """Train a trial, or go on with it, and give its last score; None if its numbers broke."""
    budget = Budget.parse(config.options.budget).times(rounds).text()
    begun = checkpoints_in(folder / record.CHECKPOINTS)
    job = go_on_within(folder, budget) if begun else train(_with(config, values, folder), force=True)
    name = ", ".join(f"{name} {value:.2g}" for name, value in values.items())
    try:
        with share_of_budget(SHARE, "short runs that choose, each a part of it"):
            yield from shared(job, 0.0, 1.0, f"trying {name}")
    except TrainingFailed:
        return None
    return _last_score(folder)


def _alone(run: Any) -> Any:
    """What a run is to be, as JSON has it, wherever it lies."""
    return None if run is None else json.loads(json_text({**run, "out": None}))


def _kept(folder: Path) -> dict[str, Any]:
    """What short runs in a folder were for, and how they scored; nothing if that cannot be told."""
    try:
        kept: dict[str, Any] = json.loads((folder / record.WHOLE).read_text("utf-8"))
        return kept if isinstance(kept["run"], dict) and isinstance(kept["scores"], dict) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def being_chosen(path: Path) -> dict[str, Any] | None:
    """The config of the run to be whose settings are being chosen in a folder that holds no other; None if none is."""
    return None if (path / record.CONFIG).exists() else _kept(path / record.TRYING).get("run")


def train_best(config: TrainConfig, *, force: bool = False, again: bool = False) -> Job[RunResult]:
    """Try settings on a small share of the budget, and train with the best of them for the rest.

    Six settings get an equal budget; the better three go on for as long again; the best of these is taken. The trials
    stay in the run's folder, with what they scored in auto.json.

    Args:
        config: the run; a rate or a gamma that it gives is what the trials vary.
        force: whether to replace a run that is in the folder.
        again: whether to go on with trials of the same run that were stopped.

    Raises:
        UserError: as :func:`danqing.training.loop.train` does.
        ParameterError: if the family gives no score to choose by, or the budget is too small for trials.
        TrainingFailed: if the numbers break with all that is tried.

    Source: Karnin et al. 2013, "Almost Optimal Exploration in Multi-Armed Bandits", sec. 3 (sequential halving).
    """
    path = config.options.out or record.free_folder(config.family)
    if holds_run(path) and not force:
        raise OutputError("holds a run", where=path, remedy="Choose another --out, or give --force")
    refuse_at_once(config, config.options.devices)
    refuse_new(config, config.options.devices)
    supplies = yield from gather_pictures(config)
    budget, settings = Budget.parse(config.options.budget), settings_to_try(config, new_model(config, supplies.train))
    each = _of_each(budget, settings, batch_share(config, 1))
    short = config.with_options(schedule="constant", every="100%", doctor="watch", budget=each.text())
    tried, trials, second = _Tried(config, path, again), list[Trial](), list[Trial]()
    for at, values in enumerate(settings):
        part = SHARE * 2 / 3 / len(settings)
        trials.append((yield from shared(tried.bring(at, values, short, 1), at * part, part)))
    better = _ranked(trials)[: _better(settings)]
    for at, trial in enumerate(better):
        place, part = SHARE * (2 / 3 + at / len(better) / 3), SHARE / len(better) / 3
        job = tried.bring(trials.index(trial), trial.values, short, 2)
        second.append((yield from shared(job, place, part)))
    best = _ranked(second)[0]
    told = " and ".join(f"{name} {value:g}" for name, value in best.values.items())
    yield Progress(SHARE, 1.0, f"best of {len(trials)}: {told}", news=f"Chosen after {len(trials)} short runs: {told}")
    rest = _with(config.with_options(budget=budget.times(1 - SHARE).text()), best.values, path)
    keep = partial(_keep, rounds=(trials, second), best=best)
    return (yield from shared(train(rest, force=force, beside=keep), SHARE, 1 - SHARE))


def _ranked(trials: list[Trial]) -> list[Trial]:
    """Those that came to an end, the best first.

    Raises:
        TrainingFailed: if none did.
    """
    scores = [(trial.score, at) for at, trial in enumerate(trials) if trial.score is not None]
    if not scores:
        told = ", ".join(f"{trial.values['lr']:g}" for trial in trials)
        raise TrainingFailed(
            f"the numbers broke with every learning rate that was tried ({told})",
            where="--auto",
            remedy="Lower --lr by ten, use --clip 1, or check the pictures (`danqing data check`)",
        )
    return [trials[at] for _, at in sorted(scores)]


def _keep(folder: Path, rounds: tuple[list[Trial], list[Trial]], best: Trial) -> None:
    """Put the trials and what they scored into the folder of the run that they are for."""
    (folder / record.TRIALS).mkdir()
    for trial in rounds[0]:
        trial.folder.rename(folder / record.TRIALS / trial.folder.name)
    shutil.rmtree(best.folder.parent)
    rows = [{**trial.values, "score": trial.score, "round": at} for at, some in enumerate(rounds, 1) for trial in some]
    record.write_json(folder / record.CHOSEN, {"chosen": best.values, "trials": rows})


def settings_to_try(config: TrainConfig, model: Model) -> list[dict[str, float]]:
    """What is tried: rates, and penalties where the family has any, around what the run would use.

    Args:
        config: the run.
        model: as the run would train it.
    """
    rate = max(each.lr for each in settings_of(config, model).values())
    if plays(model) and any(field.name == "gamma" for field in family_fields(config.family)):
        return [{"lr": rate * times, "gamma": model.rules.gamma * more} for times, more in TRIED]
    return [{"lr": rate * times} for times in dict.fromkeys(times for times, _ in TRIED)]


def foreseen(config: TrainConfig, model: Model, budget: Budget) -> dict[str, Any]:
    """What choosing would be, as JSON values for a plan.

    Args:
        config: the run.
        model: as the run would train it.
        budget: what there is for choosing and training.
    """
    settings = settings_to_try(config, model)
    each = _of_each(budget, settings, batch_share(config, 1)).amount / budget.amount
    parts = {"budget": 1.0, "each": each, "spent": SHARE, "remains": 1 - SHARE}
    amounts = {name: replace(budget, amount=round(budget.amount * part, 1)) for name, part in parts.items()}
    said = {name: str(amount) for name, amount in amounts.items()}
    return {"trials": settings, "go_on": _better(settings), "share": SHARE, **said}


def _of_each(budget: Budget, settings: list[dict[str, float]], batch: int) -> Budget:
    """What each short run may take.

    Raises:
        ParameterError: if that is less than a step, so that all of them took more than was given.
    """
    share = SHARE / (len(settings) + _better(settings))
    each = budget.times(share)
    if each.currency == "pictures" and each.amount < batch:
        runs = f"{len(settings)} short runs that choose"
        what = f"{SHARE:.0%} of {budget} is for {runs}, which is less than a step of {batch} for each"
        least = replace(budget, amount=math.ceil(batch / share))
        raise ParameterError(what, where="budget", remedy=f"Give at least {least}, or leave --auto out")
    return each


def _better(settings: list[dict[str, float]]) -> int:
    """How many of the trials go on."""
    return max(1, len(settings) // 2)


def _with(config: TrainConfig, values: dict[str, float], out: Path) -> TrainConfig:
    given = config.to_json()
    params = {**given.pop("params"), **given}
    return TrainConfig.make(params.pop("family"), params.pop("data"), **{**params, **values, "out": out})


def _last_score(folder: Path) -> float | None:
    """The last score of a run; None if it is no number.

    Raises:
        ParameterError: if the family gives none.
    """
    scores = [next(iter(entry["scores"].values())) for entry in read_log(folder / record.LOG) if entry.get("scores")]
    if not scores:
        raise ParameterError("this family has no score to choose settings by", where="--auto")
    return scores[-1] if math.isfinite(scores[-1]) else None


__all__ = ["SHARE", "being_chosen", "foreseen", "settings_to_try", "train_best"]

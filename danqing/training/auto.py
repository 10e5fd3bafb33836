"""Choosing the learning rate and the penalty by short runs, the better half of which goes on: successive halving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import OutputError, ParameterError, TrainingFailed
from danqing.core.progress import Job, Progress, shared
from danqing.nets.adversary import plays
from danqing.training import record
from danqing.training.budget import Budget
from danqing.training.build import new_model, settings_of
from danqing.training.config import TrainConfig, family_fields
from danqing.training.loop import RunResult, resume, train
from danqing.training.record import holds_run, read_log
from danqing.training.setup import gather_pictures

SHARE = 0.2  # of the budget that goes into choosing
TRIED = ((1.0, 1.0), (0.5, 1.0), (2.0, 1.0), (1.0, 4.0), (0.5, 4.0), (0.25, 4.0))  # times the usual rate and gamma
TRIALS, CHOSEN = "trials", "auto.json"
UNITS = {"seconds": "s", "pictures": "pictures", "epochs": "epochs"}


class Trial(NamedTuple):
    """A short run: its settings, and its last score (less is better)."""

    folder: Path
    values: dict[str, float]
    score: float


def train_best(config: TrainConfig, *, force: bool = False) -> Job[RunResult]:
    """Try settings on a small share of the budget, and train with the best of them for the rest.

    Six settings get an equal budget; the better three go on for as long again; the best of these is taken. The trials
    stay in the run's folder, with what they scored in auto.json.

    Args:
        config: the run; a rate or a gamma that it gives is what the trials vary.
        force: whether to replace a run that is in the folder.

    Raises:
        UserError: as :func:`danqing.training.loop.train` does.
        ParameterError: if the family gives no score to choose by.

    Source: Karnin et al. 2013, "Almost Optimal Exploration in Multi-Armed Bandits", sec. 3 (sequential halving).
    """
    path = config.options.out or record.free_folder(config.family)
    if holds_run(path) and not force:
        raise OutputError("holds a run", where=path, remedy="Choose another --out, or give --force")
    budget, settings = Budget.parse(config.options.budget), (yield from _settings(config))
    each = budget.amount * SHARE / (len(settings) + len(settings) // 2)
    short = config.with_options(schedule="constant", every="100%", doctor="watch", budget=_text(budget, each))
    trials: list[Trial] = []
    for at, values in enumerate(settings):
        job = train(_with(short, values, path / TRIALS / f"{at + 1}"), force=True)
        part = SHARE * 2 / 3 / len(settings)
        trials.append((yield from _tried(job, values, at * part, part)))
    better = sorted(trials, key=lambda trial: trial.score)[: max(1, len(trials) // 2)]
    second: list[Trial] = []
    for at, trial in enumerate(better):
        job = resume(trial.folder, budget=_text(budget, 2 * each))
        place = SHARE * (2 / 3 + at / len(better) / 3)
        second.append((yield from _tried(job, trial.values, place, SHARE / len(better) / 3)))
    best = min(second, key=lambda trial: trial.score)
    told = " and ".join(f"{name} {value:g}" for name, value in best.values.items())
    yield Progress(SHARE, 1.0, f"best of {len(trials)}: {told}", news=f"Chosen after {len(trials)} short runs: {told}")
    rest = _with(config.with_options(budget=_text(budget, budget.amount * (1 - SHARE))), best.values, path)
    result = yield from shared(train(rest, force=force), SHARE, 1 - SHARE)
    rounds = ((1, trials), (2, second))
    rows = [{**trial.values, "score": trial.score, "round": at} for at, some in rounds for trial in some]
    record.write_json(path / CHOSEN, {"chosen": best.values, "trials": rows})
    return result


def _settings(config: TrainConfig) -> Job[list[dict[str, float]]]:
    """What is tried: rates, and penalties where the family has any, around what the run would use."""
    supplies = yield from gather_pictures(config)
    model = new_model(config, supplies.train)
    rate = max(each.lr for each in settings_of(config, model).values())
    if plays(model) and any(field.name == "gamma" for field in family_fields(config.family)):
        return [{"lr": rate * times, "gamma": model.rules.gamma * more} for times, more in TRIED]
    return [{"lr": rate * times} for times in dict.fromkeys(times for times, _ in TRIED)]


def _with(config: TrainConfig, values: dict[str, float], out: Path) -> TrainConfig:
    given = config.to_json()
    params = {**given.pop("params"), **given}
    return TrainConfig.make(params.pop("family"), params.pop("data"), **{**params, **values, "out": out})


def _tried(job: Job[RunResult], values: dict[str, float], before: float, share: float) -> Job[Trial]:
    """Bring a trial to its end; one that fails is the worst."""
    name = ", ".join(f"{name} {value:.2g}" for name, value in values.items())
    try:
        result = yield from shared(job, before, share, f"trying {name}")
    except TrainingFailed:
        return Trial(Path(), values, float("inf"))
    return Trial(result.folder, values, next(_scores(result.folder)))


def _scores(folder: Path) -> Iterator[float]:
    """The scores of a run, the last first.

    Raises:
        ParameterError: if there is none.
    """
    for entry in reversed(list(read_log(folder / record.LOG))):
        if entry.get("scores"):
            yield next(iter(entry["scores"].values()))
    raise ParameterError("this family has no score to choose settings by", where="--auto")


def _text(budget: Budget, amount: float) -> str:
    return f"{amount:.3f}{UNITS[budget.currency]}"


__all__ = ["train_best"]

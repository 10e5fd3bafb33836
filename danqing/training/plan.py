"""What a run would be, without running it: its parameters, memory and time, estimated from a few measured steps."""

from __future__ import annotations

import resource
import sys
from typing import Any, NamedTuple

from danqing.core.fields.budget import Budget
from danqing.core.learned.manner import computes_bf16
from danqing.core.learned.model import Model, Painter
from danqing.core.progress import Job, Progress
from danqing.training.auto import foreseen
from danqing.training.beginnings import Beginning, beginning, take_over
from danqing.training.build import new_model, settings_of
from danqing.training.config import SHARE, TrainConfig, new_part
from danqing.training.forecast import about
from danqing.training.kit import teacher_of
from danqing.training.machine import prepare, steps_per_second, to_machine
from danqing.training.process import apart
from danqing.training.refusals import refuse_at_once, refuse_new
from danqing.training.setup import Supplies, batch_share, count_of, gather_stages, without_labels
from danqing.training.teaching import Teacher


def plan(config: TrainConfig, auto: bool = False) -> Job[dict[str, Any]]:
    """Resolve a run, measure a few steps of each of its stages, and say what it would take; only pictures are packed.

    The model told of is that of the first stage.

    Args:
        config: what to train on what, and how.
        auto: whether rate and gamma are chosen by short runs before it, which are told, too.

    Returns:
        JSON values: the resolved config, parameters by part, pictures, steps per second by precision, steps, seconds
        and pictures that the budget allows, and the memory of weights and of a step in bytes.
    """
    return (yield from apart(_plan(config, auto)))


class Foundation(NamedTuple):
    """What a run would begin with: the pictures of its stages; and of the first its model, teacher, and descent."""

    supplies: list[Supplies]
    model: Model
    teacher: Teacher | None
    built_upon: Beginning


def founded(config: TrainConfig) -> Job[Foundation]:
    """Gather and build what a run would begin with, so that all that can be refused before it is.

    A part that is to be new is as chance makes it.

    Raises:
        UserError: as :func:`danqing.training.loop.train` does.
    """
    refuse_at_once(config, config.options.devices)
    refuse_new(config, config.options.devices)
    gathered = yield from gather_stages(config)
    first, supplies = config.by_stage()[0], gathered[0]
    new = new_model(first, supplies.train)
    transfer = take_over(first, new, supplies)
    model = to_machine(new, "cpu").train()
    teacher = teacher_of(first, model, supplies)
    return Foundation(gathered, model, teacher, beginning(first, model, transfer, teacher))


def _plan(config: TrainConfig, auto: bool) -> Job[dict[str, Any]]:
    stages = config.by_stage()
    first = stages[0]
    options = first.options
    threads = prepare(options.threads)
    gathered, model, teacher, built_upon = yield from founded(config)
    supplies = gathered[0]
    batch_size = batch_share(first, 1)
    batch = without_labels(next(supplies.train.batches(batch_size, options.seed)), model)
    both = ("fp32", "bf16") if computes_bf16("cpu") else ("fp32",)
    wishes = both if options.precision == "auto" else (options.precision,)
    speeds = {}
    before = peak_memory()
    for done, name in enumerate(wishes):
        yield Progress(done, len(wishes), f"measuring {name}")
        speeds[name] = steps_per_second(model, batch, settings_of(first, model), name, teacher=teacher)
    precision = max(speeds, key=lambda name: speeds[name])
    others = [_speed(each, mine, precision) for each, mine in zip(stages[1:], gathered[1:], strict=True)]
    paces = [
        _Pace(stage.share, speed, batch_share(each, 1))
        for stage, speed, each in zip(config.all_stages(), [speeds[precision], *others], stages, strict=True)
    ]
    budget, part = Budget.parse(options.budget), new_part(first)
    mine = budget if part is None else budget.times(1 - SHARE)
    chosen = foreseen(config, model, mine) if auto else None
    mine = mine if chosen is None else mine.times(1 - chosen["share"])
    spending = _spending(mine, paces, count_of(supplies.train))
    expected: list[str] = []
    if isinstance(model, Painter):
        count, seen = count_of(supplies.train), spending["pictures_seen"]
        channels, whole = supplies.train.channels or 3, supplies.report.get("usable")
        expected = list(about(config.family, count, config.side, channels, seen, spending["budget"], whole))
    if chosen is not None:
        expected.insert(0, _choosing(chosen))
    if part is not None:
        expected.insert(0, f"Before it a {part[1]} learns, for {budget.times(SHARE)}")
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    return {
        "config": config.with_options(precision=precision).to_json(),
        "model": model.config,
        "parameters": {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()},
        "pictures": supplies.train.facts(),
        "threads": threads,
        "steps_per_second": {name: round(speed, 2) for name, speed in speeds.items()},
        **spending,
        "learning_rate": {part: each.lr for part, each in settings_of(first, model).items()},
        "forecast": expected,
        **({"auto": chosen} if chosen is not None else {}),
        **({"builds_upon": built_upon.to_json()} if built_upon.told else {}),
        "memory": {"weights_gradients_adam_average": 5 * weights, "peak_of_a_step": max(0, peak_memory() - before)},
    }


def _choosing(chosen: dict[str, Any]) -> str:
    """What choosing takes, for people."""
    names = {"lr": "rate", "gamma": "γ"}
    tried = "; ".join(
        ", ".join(f"{names[name]} {value:.3g}" for name, value in each.items()) for each in chosen["trials"]
    )
    count, better, share = len(chosen["trials"]), chosen["go_on"], f"{chosen['share']:.0%}"
    return (
        f"Before it {count} short runs of {chosen['each']} each choose ({tried}), of which the better {better} go on "
        f"for as long again: {chosen['spent']} in all, {share} of {chosen['budget']}; {chosen['remains']} remain for "
        "the run with the best of them"
    )


def peak_memory() -> int:
    """The largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Pace(NamedTuple):
    """How long a stage lasts against the others, and how it goes: steps a second, pictures a step."""

    share: float
    speed: float
    batch: int


def _speed(config: TrainConfig, supplies: Supplies, precision: str) -> float:
    """Steps a second of a later stage."""
    model = to_machine(new_model(config, supplies.train), "cpu").train()
    batch = without_labels(next(supplies.train.batches(batch_share(config, 1), config.options.seed)), model)
    return steps_per_second(model, batch, settings_of(config, model), precision)


def _spending(budget: Budget, paces: list[_Pace], pictures: float) -> dict[str, Any]:
    """What a budget allows; shares of stages are shares of it."""
    whole = sum(each.share for each in paces)
    amount = budget.amount * (pictures if budget.currency == "epochs" else 1.0)
    if budget.currency == "seconds":
        steps = [amount * each.share / whole * each.speed for each in paces]
    else:
        steps = [amount * each.share / whole / each.batch for each in paces]
    seen = sum(count * each.batch for count, each in zip(steps, paces, strict=True))
    return {
        "budget": str(budget),
        "steps": round(sum(steps)),
        "pictures_seen": round(seen),
        "epochs": round(seen / pictures, 2),
        "seconds": round(sum(count / each.speed for count, each in zip(steps, paces, strict=True)), 1),
    }

"""What a run would be, without running it: its parameters, memory and time, estimated from a few measured steps."""

from __future__ import annotations

import resource
import sys
from typing import Any

from danqing.core.learned.manner import computes_bf16
from danqing.core.learned.model import Painter
from danqing.core.progress import Job, Progress
from danqing.training.adapting import refuse_adapters
from danqing.training.beginnings import beginning, take_over
from danqing.training.budget import Budget
from danqing.training.build import new_model, settings_of
from danqing.training.config import TrainConfig
from danqing.training.forecast import about
from danqing.training.kit import teacher_of
from danqing.training.machine import prepare, steps_per_second, to_machine
from danqing.training.process import apart
from danqing.training.setup import batch_share, count_of, gather_pictures, refuse_at_once, without_labels


def plan(config: TrainConfig) -> Job[dict[str, Any]]:
    """Resolve a run, measure a few steps of its first stage, and say what it would take; only pictures are packed.

    Returns:
        JSON values: the resolved config, parameters by part, pictures, steps per second by precision, steps, seconds
        and pictures that the budget allows, and the memory of weights and of a step in bytes.
    """
    return (yield from apart(_plan(config)))


def _plan(config: TrainConfig) -> Job[dict[str, Any]]:
    refuse_at_once(config, 1)
    refuse_adapters(config)
    first = config.by_stage()[0]
    options = first.options
    supplies = yield from gather_pictures(first)
    threads = prepare(options.threads)
    new = new_model(first, supplies.train)
    transfer = take_over(first, new, supplies)
    model = to_machine(new, "cpu").train()
    teacher = teacher_of(first, model, supplies)
    built_upon = beginning(first, model, transfer, teacher)
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
    spending = _spending(Budget.parse(options.budget), speeds[precision], batch_size, count_of(supplies.train))
    expected: list[str] = []
    if isinstance(model, Painter):
        count, seen = count_of(supplies.train), spending["pictures_seen"]
        expected = list(about(count, supplies.train.size, supplies.train.channels or 3, seen, spending["budget"]))
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
        **({"builds_upon": built_upon.to_json()} if built_upon.told else {}),
        "memory": {"weights_gradients_adam_average": 5 * weights, "peak_of_a_step": max(0, peak_memory() - before)},
    }


def peak_memory() -> int:
    """The largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _spending(budget: Budget, speed: float, batch: int, pictures: float) -> dict[str, Any]:
    steps = {
        "seconds": budget.amount * speed,
        "pictures": budget.amount / batch,
        "epochs": budget.amount * pictures / batch,
    }[budget.currency]
    return {
        "budget": str(budget),
        "steps": round(steps),
        "pictures_seen": round(steps * batch),
        "epochs": round(steps * batch / pictures, 2),
        "seconds": round(steps / speed, 1),
    }

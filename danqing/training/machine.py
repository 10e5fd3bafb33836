"""The machine at hand: how many threads to use, and which precision is faster on it."""

from __future__ import annotations

import copy
import functools
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from danqing.core.learned.choice import deciding, quickest
from danqing.core.learned.manner import computes_bf16
from danqing.core.learned.model import Model, Samples
from danqing.training.step import Settings, Stepper, settings_by_part
from danqing.training.teaching import Teacher

WARM, TIMED = 2, 5  # steps of a measurement


class Choice(NamedTuple):
    """A precision with the steps per second measured for each candidate (empty: it was given)."""

    precision: str
    measured: dict[str, float]


def usable_threads(processes: int = 1) -> int:
    """The threads this process may use: its affinity, its container's quota, its share among ``processes``."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, _quota(), torch.get_num_threads() if processes == 1 else count) // processes)


def prepare(threads: int | None, processes: int = 1) -> int:
    """Set torch's threads, and flush denormal numbers, which slow a processor down by an order of magnitude.

    For the whole process: call it in a job that runs :func:`danqing.training.process.apart`.
    """
    torch.set_num_threads(usable_threads(processes) if threads is None else threads)
    torch.set_flush_denormal(True)
    return torch.get_num_threads()


def to_machine(model: Model, device: str) -> Model:
    """Move a model to its device, convolutions in the channels-last layout that processors and GPUs prefer."""
    model.to(device)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def choose_precision(wish: str, model: Model, batch: Samples, settings: Settings) -> Choice:
    """Choose the precision whose steps cost less; a wish is granted as it is.

    Steps of copies take turns, once for a machine, a device and shapes; then it is remembered.

    Args:
        wish: auto, bf16 or fp32.
        model: as it will be trained.
        batch: as it will be trained on.
        settings: the optimisers'.
    """
    if wish != "auto":
        return Choice(wish, {})
    device = next(model.parameters()).device
    if not computes_bf16(device.type):
        return Choice("fp32", {"fp32": steps_per_second(model, batch, settings, "fp32")})
    state = torch.get_rng_state()
    ways = {each: _stepping(model, batch, settings, each) for each in ("fp32", "bf16")}
    found = quickest(ways, _work(model, batch, settings), device)
    torch.set_rng_state(state)
    return Choice(found.name, {name: 1 / seconds for name, seconds in found.measured.items()})


def _work(model: Model, batch: Samples, settings: Settings) -> dict[str, Any]:
    """What a step is, as far as it decides which precision is quicker: no rate does, nor any strength."""
    shapes = {name: list(each.shape) for name, each in batch._asdict().items() if each is not None}
    muon = [part for part, each in settings_by_part(model, settings).items() if each.muon]
    return {"train": model.family, "config": deciding(model.config), "batch": shapes, "muon": muon}


def _stepping(model: Model, batch: Samples, settings: Settings, precision: str) -> Callable[[], object]:
    """A training step, to be taken again and again, on a copy that is made at the first."""

    @functools.cache
    def stepper() -> Stepper:
        return Stepper(copy.deepcopy(model).train(), settings, precision)

    rng = torch.Generator().manual_seed(0)
    return lambda: stepper().step(batch, rng)


def try_step(model: Model, batch: Samples, settings: Settings, precision: str, teacher: Teacher | None = None) -> None:
    """Train one step on a copy, so that what a model cannot learn from is refused while nothing is changed yet."""
    state = torch.get_rng_state()
    Stepper(copy.deepcopy(model).train(), settings, precision, teacher=teacher).step(
        batch, torch.Generator().manual_seed(0)
    )
    torch.set_rng_state(state)


def steps_per_second(
    model: Model,
    batch: Samples,
    settings: Settings,
    precision: str,
    give_up: float = math.inf,
    teacher: Teacher | None = None,
) -> float:
    """The median speed of a few training steps on a copy of ``model``, whose weights and generators stay untouched.

    A step that takes longer than ``give_up`` seconds ends the measurement after the first.
    """
    state = torch.get_rng_state()
    stepper = Stepper(copy.deepcopy(model).train(), settings, precision, teacher=teacher)
    rng = torch.Generator().manual_seed(0)
    times: list[float] = []
    while len(times) < WARM + TIMED and (len(times) != 1 or times[0] <= give_up):
        start = time.perf_counter()
        stepper.step(batch, rng)
        times.append(time.perf_counter() - start)
    torch.set_rng_state(state)
    timed = sorted(times[WARM:] or times)
    return 1 / timed[len(timed) // 2]


def _quota() -> int:
    """The whole processors a container's quota allows (cgroup v2), or very many."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(limit) // int(period))
    except (OSError, ValueError):  # no cgroup, or "max"
        return 1 << 16

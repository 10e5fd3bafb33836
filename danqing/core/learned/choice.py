"""Which of several ways is the quickest here: measured in turns, once a machine and a device, and remembered."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch

from danqing.core.disk import cache_folder, replacing
from danqing.core.errors import DanqingError

ROUNDS = 6  # turns of each way, after one that is not counted
CPU = torch.device("cpu")
HOPELESS = 8.0  # a way whose turns all took so many times what another's took is not tried further


class Choice(NamedTuple):
    """What was chosen.

    Attributes:
        name: of the quickest way.
        measured: seconds of each way, of the processor where that computes; empty where nothing was to be measured.
    """

    name: str
    measured: dict[str, float]


def quickest(
    ways: Mapping[str, Callable[[], Any]], key: Any, device: torch.device = CPU, *, remember: bool = True
) -> Choice:
    """Find the way that costs the least: processor time, or, where another device computes, time until that is done.

    Busy neighbours make a turn longer, never shorter, and hit all ways alike when these take turns: the least of a
    way's turns counts. What was found is kept in the cache on the disk, by machine and ``key``.

    Args:
        ways: what may be done, by name; each does the same work.
        key: JSON values that say what the work is: family, :func:`deciding` parameters, shapes.
        device: what computes.
        remember: look into the cache, and keep what is found.
    """
    if len(ways) == 1:
        return Choice(next(iter(ways)), {})
    file = _place({"machine": machine(device), "ways": sorted(ways), "work": key})
    known = _read(file, ways) if remember else None
    if known is None:
        known = _measured(ways, device)
        if remember:
            _keep(file, known)
    return Choice(min(known, key=lambda name: known[name]), known)


def deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a family's parameters decides how quick it is: shapes, choices, and whether a strength is none."""
    return {name: value != 0 if value is None or isinstance(value, float) else value for name, value in config.items()}


def _measured(ways: Mapping[str, Callable[[], Any]], device: torch.device) -> dict[str, float]:
    """The least seconds of a turn of each way."""
    for way in ways.values():
        way()  # kernels are made and memory is found at the first turn
    least = {name: _turn(way, device) for name, way in ways.items()}
    for at in range(1, ROUNDS):
        hopeful = [name for name in ways if least[name] <= HOPELESS * min(least.values())]
        for name in hopeful if at % 2 else hopeful[::-1]:
            least[name] = min(least[name], _turn(ways[name], device))
    return least


def _turn(way: Callable[[], Any], device: torch.device) -> float:
    if device.type == "cpu":
        start = time.process_time()
        way()
        return time.process_time() - start
    torch.accelerator.synchronize(device)  # what was asked for before is not of this turn
    start = time.perf_counter()
    way()
    torch.accelerator.synchronize(device)
    return time.perf_counter() - start


def machine(device: torch.device = CPU) -> dict[str, Any]:
    """What decides how quick a way is, beside the work: torch, and what computes.

    Of a processor its name, instructions and threads count; of another device its name.
    """
    facts = {"device": device.type, "torch": torch.__version__}
    if device.type != "cpu":
        named = getattr(torch.get_device_module(device), "get_device_name", None)  # MPS has none: it is the processor's
        return {**facts, "name": named(device) if named is not None else _processor()}
    return {
        **facts,
        "processor": _processor(),
        "kind": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "limit": os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
        "threads": torch.get_num_threads(),
    }


@functools.cache
def _processor() -> str:
    """Its name, and which model of that name it is."""
    with suppress(OSError):  # elsewhere than on Linux the platform says it
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        told = [each for each in lines if each.startswith(("model", "cpu family", "stepping"))]
        return " ".join(dict.fromkeys(line.partition(":")[2].strip() for line in told))
    return platform.processor()


def _place(facts: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "choices" / f"{digest[:24]}.json"


def _read(file: Path, ways: Mapping[str, Any]) -> dict[str, float] | None:
    """What was measured before; None where nothing is there that makes sense."""
    try:
        found = json.loads(file.read_text("utf-8"))
        return {name: float(found[name]) for name in ways}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(file: Path, measured: dict[str, float]) -> None:
    with suppress(DanqingError), replacing(file) as temporary:  # a cache that cannot be written costs time, no more
        temporary.write_text(json.dumps(measured) + "\n", "utf-8")


__all__ = ["Choice", "deciding", "machine", "quickest"]

"""Learning for so much processor time: in parts, of which each tells how long the next may be."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from danqing.core.progress import finish
from danqing.training.loop import resume
from danqing.training.record import CONFIG, read_log

MOST = 48_000  # pictures learned at once: a part that is killed is counted at the pace of before
ENOUGH = 0.99  # of the time: less than this is left to spend


def learned_for(seconds: float, folder: Path, begin: Callable[[str], object], first: int) -> list[dict[str, float]]:
    """Learn until so much processor time is spent, or go on with what has begun.

    Args:
        seconds: of all processors together, looks and all.
        folder: of the run.
        begin: begins the run, with this budget.
        first: pictures of the first part.

    Returns:
        Pictures seen and seconds spent after each part.
    """
    known = spent(folder)
    while known[-1]["seconds"] < ENOUGH * seconds or not (folder / "model.safetensors").exists():
        pace = known[-1]["seen"] / known[-1]["seconds"] if known[-1]["seconds"] else 0.0
        more = min(MOST, max(64, round(pace * (seconds - known[-1]["seconds"])))) if pace else first
        budget = f"{known[-1]['seen'] + more:.0f}pictures"
        began = time.process_time()
        if (folder / CONFIG).exists():
            finish(resume(folder, budget=budget))
        else:
            begin(budget)
        took = time.process_time() - began
        known.append({"seen": _seen(folder), "seconds": known[-1]["seconds"] + took})
        (folder / "spent.json").write_text(json.dumps(known[1:], indent=1), "utf-8")
    return known


def spent(folder: Path) -> list[dict[str, float]]:
    """Pictures seen and seconds spent, from nothing on; what a killed part learned, at the pace of before."""
    file = folder / "spent.json"
    known = [{"seen": 0, "seconds": 0.0}, *(json.loads(file.read_text("utf-8")) if file.exists() else [])]
    more = _seen(folder) - known[-1]["seen"]
    if more > 0 and known[-1]["seconds"]:
        seconds = known[-1]["seconds"] * (1 + more / known[-1]["seen"])
        known.append({"seen": known[-1]["seen"] + more, "seconds": seconds})
    return known


def _seen(folder: Path) -> int:
    """Pictures that a run has seen."""
    log = folder / "log.jsonl"
    return max((entry["seen"] for entry in read_log(log) if "seen" in entry), default=0) if log.exists() else 0

"""Learning for so much processor time: in parts, of which each tells how long the next may be."""

from __future__ import annotations

import json
import shutil
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
        Pictures learned from (those of steps that the doctor took back, too) and seconds spent, after each part.
    """
    known = spent(folder)
    if len(known) == 1 and folder.exists():
        shutil.rmtree(folder)  # what a first part learned that was killed has no pace to count by
    while known[-1]["seconds"] < ENOUGH * seconds or not (folder / "model.safetensors").exists():
        done, took = known[-1]["pictures"], known[-1]["seconds"]
        more = min(MOST, max(64, round(done / took * (seconds - took)))) if took else first
        began = time.process_time()
        if (folder / CONFIG).exists():
            finish(resume(folder, budget=f"{done + more:.0f}pictures"))
        else:
            begin(f"{more}pictures")
        known.append({"pictures": done + more, "seconds": took + time.process_time() - began})
        (folder / "spent.json").write_text(json.dumps(known[1:], indent=1), "utf-8")
    return known


def spent(folder: Path) -> list[dict[str, float]]:
    """Pictures and seconds spent, from nothing on; what a killed part learned, at the pace of before."""
    file = folder / "spent.json"
    known = [{"pictures": 0, "seconds": 0.0}, *(json.loads(file.read_text("utf-8")) if file.exists() else [])]
    more = _seen(folder) - known[-1]["pictures"]
    if more > 0 and known[-1]["seconds"]:
        seconds = known[-1]["seconds"] * (1 + more / known[-1]["pictures"])
        known.append({"pictures": known[-1]["pictures"] + more, "seconds": seconds})
    return known


def _seen(folder: Path) -> int:
    """Pictures that a run has seen."""
    log = folder / "log.jsonl"
    return max((entry["seen"] for entry in read_log(log) if "seen" in entry), default=0) if log.exists() else 0

"""Progressive growing: what it saves, at equal distance

`stylegan` at 64×64 as it is, and as `--grow` begins it: with pictures of 32 or 16 px, doubled in stages; half of the
time is at full size. Sets, scores and the counting of processor time are those of the bench of projected critics. Each
way learns twice, for the whole time and for half of it. A run that grows is as near as the plain one after the whole
time (kernel distance) after a time that is read between its two, on a straight line of logarithms. A run that was
measured is not run again, one that was stopped goes on (`python -m bench.growing SET WAY SECONDS` is one run).
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.generation import COLUMNS, SETS, figure
from bench.projected import SIDE, judged, paces, trained
from bench.rows import kept, record
from danqing.training.config import TrainConfig
from danqing.training.stages import stages_to_json

RUNS = Path("runs/growing")
WAYS: Mapping[str, int | None] = {"at once": None, "from 32 px": 32, "from 16 px": 16}
SECONDS = 240  # of one processor
JUDGE = "kernel_distance"


def run(seconds: int = SECONDS) -> dict[str, Any]:
    """Measure what was not measured yet."""
    rows = [measured(name, way, each) for name in SETS for way in WAYS for each in (seconds // 2, seconds)]
    return {"seconds": seconds, "rows": rows}


def measured(name: str, way: str, seconds: int) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    folder = RUNS / re.sub(r"[^\w]+", "-", f"{name}-{way}-{seconds}")
    file = folder / "measured.json"
    if found := kept(file):
        return found
    stages, budget = staged(name, WAYS[way], seconds)
    model = trained("stylegan", name, folder, budget=f"{budget}pictures", stages=stages)
    return record(file, {"set": name, "way": way, "seconds": seconds, **judged(model, name)})


def staged(name: str, grow: int | None, seconds: int) -> tuple[list[dict[str, Any]], int]:
    """The stages of ``--grow`` for a budget of time, as what it is in pictures, and how many these are."""
    config = TrainConfig.make("stylegan", SETS[name], size=SIDE, grow=grow)
    stages, known = config.all_stages(), side_paces(name)
    whole = sum(stage.share for stage in stages)
    seen = [
        known[str(each.side)] * seconds * s.share / whole for each, s in zip(config.by_stage(), stages, strict=True)
    ]
    shares = [{**told, "share": count} for told, count in zip(stages_to_json(stages), seen, strict=True)]
    return shares, round(sum(seen))


def side_paces(name: str) -> dict[str, float]:
    """Pictures learned from in a processor second, by their side."""
    smallest = min(filter(None, WAYS.values()))
    grown = TrainConfig.make("stylegan", SETS[name], size=SIDE, grow=smallest)
    return paces({str(each.side): each for each in grown.by_stage()}, name, RUNS / f"paces-{name}.json")


def equal_after(rows: list[dict[str, Any]], name: str, way: str) -> float | None:
    """Seconds after which a way is as near as the plain one is in the end; None: not in this time."""
    by_time = {
        each: sorted((row["seconds"], row[JUDGE]["value"]) for row in rows if (row["set"], row["way"]) == (name, each))
        for each in (way, "at once")
    }
    (early, far), (late, near) = by_time[way]
    goal = by_time["at once"][-1][1]
    if near > goal:
        return None
    if far <= goal or min(far, near, goal) <= 0:
        return float(early)
    share = math.log(far / goal) / math.log(far / near)
    return float(early * (late / early) ** share)


def table(result: dict[str, Any]) -> str:
    """A line a run, and the time that growing saves."""
    shown = {key: COLUMNS[key] for key in ("frechet_distance", JUDGE, "patches", "precision", "coverage")}
    heads = ["set", "growing", "processor seconds", "seen", *(head for head, _, _ in shown.values()), "alarms"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        figures = [figure(row[key], times, digits) for key, (_, times, digits) in shown.items()]
        cells = [row["set"], row["way"], str(row["seconds"]), f"{row['seen']:,}", *figures]
        lines.append(f"| {' | '.join([*cells, ', '.join(row['alarms']) or '–'])} |")
    return "\n".join([*lines, "", *_savings(result)])


def _savings(result: dict[str, Any]) -> list[str]:
    told = []
    for name in dict.fromkeys(row["set"] for row in result["rows"]):
        for way in list(WAYS)[1:]:
            after = equal_after(result["rows"], name, way)
            words = "is not as near in that time" if after is None else f"is as near after {after:.0f} s at most"
            told.append(f"- {name}, {way}: {words} (at once: {result['seconds']} s)")
    return told


if __name__ == "__main__":
    measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))

"""An evening: how near samples come with time

`dcgan` at 64×64 as the command line gives it, on emoji (nine groups) and Chinese characters (three hands), one thread,
one seed, and beside it for the first hour the `dcgan` of before ("free doublings", with the rate that it had). One run
a line of the curve: it stops where so much processor time is spent, is scored, and goes on. Distances are those of the
bench of generation, taken on MobileNetV2's features and on patches of pixels. Processor time is that of training with
its looks, not of the scores. A stop that was measured is not measured again; a run that was stopped goes on, and what
it learned unseen counts at the pace of before (`python -m bench.evening SET FAMILY MINUTES` is one run).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import danqing
from bench.generation import COLUMNS, FAMILIES, SETS, TODAY, figure, ratios, rounded, scored
from bench.projected import SIDE, precision
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.training.loop import resume
from danqing.training.record import CONFIG, read_log

RUNS = Path("runs/evening")
STOPS: Mapping[str, tuple[int, ...]] = {"dcgan": (15, 60, 120, 240), TODAY: (15, 60)}  # minutes of one processor
FIRST, MOST = 8_000, 48_000  # pictures learned before the pace is known, and at once
EVERY = "8kimg"


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    for family, stops in STOPS.items():
        for name in SETS:
            learned(name, family, stops[-1])
    return so_far()


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    kept = [_kept(name, family, stop) for name in SETS for family, stops in STOPS.items() for stop in stops]
    return {"rows": [json.loads(file.read_text("utf-8")) for file in kept if file.exists()]}


def learned(name: str, family: str, minutes: int) -> None:
    """Learn a set for so long, and score it at every stop on the way."""
    for stop in STOPS[family]:
        kept = _kept(name, family, stop)
        if stop > minutes or kept.exists():
            continue
        model = _trained(name, family, 60 * stop)
        painter = load(str(model), kind=Painter)
        write(contact_sheet(danqing.generate(painter, count=60), 12), kept.with_suffix(".png"), force=True)
        entries = list(read_log(model.parent / "log.jsonl"))
        row = {
            "set": name,
            "family": family,
            "stop": stop,
            "seen": entries[-1]["seen"],
            "minutes": _spent(kept.parent)[-1]["seconds"] / 60,
            "alarms": sorted({each["event"] for each in entries if "event" in each}),
            **scored(model, SETS[name]),
        }
        kept.write_text(json.dumps(row, indent=1), "utf-8")
        print(row, flush=True)


def _trained(name: str, family: str, seconds: float) -> Path:
    """Learn on until so much processor time is spent."""
    folder = _folder(name, family)
    model = folder / "model.safetensors"
    while (known := _spent(folder))[-1]["seconds"] < 0.99 * seconds or not model.exists():
        pace = known[-1]["seen"] / known[-1]["seconds"] if known[-1]["seconds"] else 0.0
        more = min(MOST, max(64, round(pace * (seconds - known[-1]["seconds"])))) if pace else FIRST
        began = time.process_time()
        model = _on(name, family, f"{known[-1]['seen'] + more}pictures")
        took = known[-1]["seconds"] + time.process_time() - began
        known.append({"seen": _seen(folder), "seconds": took})
        (folder / "spent.json").write_text(json.dumps(known, indent=1), "utf-8")
    return model


def _on(name: str, family: str, budget: str) -> Path:
    """Begin a run, or go on with it."""
    folder = _folder(name, family)
    if (folder / CONFIG).exists():
        return finish(resume(folder, budget=budget)).model
    kind, values = FAMILIES[family]
    usual = {"size": SIDE, "threads": 1, "precision": precision(), "every": EVERY}
    return Path(danqing.train(kind, SETS[name], budget=budget, out=folder, **{**usual, **values}).model)


def _spent(folder: Path) -> list[dict[str, float]]:
    """Pictures seen and processor seconds spent, after each part; what a killed part learned, at the pace of before."""
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


def _folder(name: str, family: str) -> Path:
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{family}")


def _kept(name: str, family: str, stop: int) -> Path:
    """Where the figures of a stop are, beside the run."""
    return _folder(name, family) / f"after-{stop}.json"


def table(result: dict[str, Any]) -> str:
    """A line a stop, what real pictures score, and what share of the distances of before the new one has."""
    heads = ["set", "family", "minutes", "pictures seen", *(head for head, _, _ in COLUMNS.values()), "alarms"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name in dict.fromkeys(row["set"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["set"] == name]
        for row in rows:
            figures = [figure(row[key], times, digits) for key, (_, times, digits) in COLUMNS.items()]
            cells = [name, row["family"], f"{row['minutes']:.0f}", f"{row['seen']:,}", *figures]
            lines.append("| " + " | ".join([*cells, ", ".join(row["alarms"]) or "–"]) + " |")
        real = [rounded(rows[0][key]["real"], times, digits) for key, (_, times, digits) in COLUMNS.items()]
        lines.append("| " + " | ".join([name, "real", "–", "–", *real, "–"]) + " |")
    shares = [
        f"- after {stop} minutes: {words[2:]}"
        for stop in STOPS[TODAY]
        for words in ratios({"rows": [row for row in result["rows"] if row["stop"] == stop]})
    ]
    left = len(SETS) * sum(map(len, STOPS.values())) - len(result["rows"])
    return "\n".join([*lines, "", *shares, *([f"- {left} stops are not measured yet"] if left else [])])


if __name__ == "__main__":
    learned(sys.argv[1], sys.argv[2], int(sys.argv[3]))

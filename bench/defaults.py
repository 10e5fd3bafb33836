"""Defaults: which rate and which penalty `dcgan` learns with, on sets unlike each other

Every set is learned with every setting for as many pictures seen, on one thread, the doctor only watching. The sketch
distance is the run's own score on held-out pictures, for comparing runs of one set and size. The kernel distance
(× 1000, less is better) is taken on EfficientNet-Lite0's features (of digits: on those of the bundled classifier),
which no part of the training sees; precision and recall likewise. From 64 px on nets have half of the usual widths. "By
side" is what `dcgan` takes by itself: its rate falls with the side of the pictures; "by area" with their pixels; "of
digits" is what was once chosen on these, at any size. γ grows with the numbers of a picture in the first two. A run
that was measured is not run again; one that was stopped goes on (`python -m bench.defaults SET SETTING` is one run).
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import danqing
from bench.rows import kept, known, record, whence
from danqing.core.progress import finish
from danqing.training.loop import resume
from danqing.training.record import CONFIG, read_log

RUNS = Path("runs/defaults")
SAMPLES = 512
BY = ("set", "setting")


class Set(NamedTuple):
    """Pictures, and how long they are learned from."""

    data: str
    size: int
    channels: int
    budget: str
    options: Mapping[str, Any] = MappingProxyType({})


NARROW = {"width": 24, "critic_width": 16}  # half of the usual: a quarter of the work
SETS = {
    "digits": Set("digits", 28, 1, "40kimg"),
    "characters, 32 px": Set("runs/characters", 32, 1, "40kimg"),
    "emoji, 32 px": Set("runs/emoji", 32, 3, "40kimg"),
    "characters": Set("runs/characters", 64, 1, "60kimg", NARROW),
    "emoji": Set("runs/emoji", 64, 3, "60kimg", NARROW),
    "photographs": Set("runs/photographs", 64, 3, "60kimg", {**NARROW, "fit": "tiles"}),
    "textures": Set("runs/textures", 64, 3, "60kimg", NARROW),
    "photographs, 128 px": Set("runs/photographs", 128, 3, "16kimg", {**NARROW, "fit": "tiles"}),
    "100 emoji": Set("runs/emoji-100", 32, 3, "40kimg"),  # made from the others
}
SIDE = 28  # px: of the grey pictures on which the rate and the penalty were first chosen


def settings(name: str) -> dict[str, dict[str, float]]:
    """What is compared on a set: settings derived from its size in two ways, and those chosen on digits."""
    spec = SETS[name]
    area = (spec.size / SIDE) ** 2
    return {
        "by side": {"lr": 2e-3 / area**0.5, "gamma": 0.1 * spec.channels * area},
        "by area": {"lr": 2e-3 / area, "gamma": 0.1 * spec.channels * area},
        "of digits": {"lr": 2e-3, "gamma": 0.1},
    }


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"samples": SAMPLES, "rows": [measured(name, setting) for name in SETS for setting in settings(name)]}


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    wanted = [(name, setting) for name in SETS for setting in settings(name)]
    return {"samples": SAMPLES, "rows": known("defaults", BY, wanted, _kept)}


def table(result: dict[str, Any]) -> str:
    """A line a run; figures that were not taken are left out."""
    names = {"sketch": "sketch distance", "kernel": "kernel distance", "precision": "precision", "recall": "recall"}
    lines = ["| set | rate, γ | pictures seen | " + " | ".join([*names.values(), "processor s", "alarms"]) + " |"]
    lines.append("|---" * 9 + "|")
    for row in result["rows"]:
        head = [row["set"], row["setting"], f"{row['seen']:,}"]
        taken = {
            **row,
            "sketch": row["sketch_distances"][-1],
            "kernel": 1000 * row["kernel"] if "kernel" in row else None,
        }
        figures = [_figure(taken.get(name), digits) for name, digits in zip(names, (3, 0, 2, 2), strict=True)]
        last = [_figure(row.get("processor_seconds"), 0), ", ".join(row["alarms"]) or "–"]
        lines.append("| " + " | ".join([*head, *figures, *last]) + " |")
    missing = sum(len(settings(name)) for name in SETS) - len(result["rows"])
    notes = [*whence(result["rows"], BY), *([f"- {missing} runs are not measured yet"] if missing else [])]
    return "\n".join([*lines, "", *notes])


def _figure(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def few(folder: Path = Path("runs/emoji-100"), of: Path = Path("runs/emoji"), count: int = 100) -> None:
    """A hundred of the emoji to learn from, evenly spaced through their groups, and all that are held out."""
    for side in ("train", "test"):
        files = sorted(path.relative_to(of) for path in (of / side).rglob("*.png"))
        chosen = files if side == "test" else [files[at * len(files) // count] for at in range(count)]
        for file in chosen:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(of / file, folder / file)


def measured(name: str, setting: str) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    if name == "100 emoji" and not Path(SETS[name].data).exists():
        few()
    file = _kept(name, setting)
    folder = file.parent
    if row := kept(file):
        return row
    spec, began = SETS[name], time.process_time()
    if (folder / CONFIG).exists():
        model = finish(resume(folder)).model
    else:
        values = {**settings(name)[setting], **spec.options}
        model = danqing.train(
            "dcgan", spec.data, size=spec.size, budget=spec.budget, threads=1, doctor="watch", out=folder, **values
        ).model
    row = {"set": name, "setting": setting, **_scored(model, spec.data), **_watched(folder)}
    row["processor_seconds"] = round(time.process_time() - began, 1)
    return record(file, row)


def _kept(name: str, setting: str) -> Path:
    """Where the figures of a run are, beside its model."""
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{setting}") / "measured.json"


def _scored(model: Path, data: str) -> dict[str, float]:
    """What samples score against real pictures."""
    found = danqing.evaluate(model, data, count=SAMPLES, metrics="kernel,precision")
    numbers = {row["score"]: row["value"] for row in found.numbers}
    return {"kernel": numbers["kernel_distance"], "precision": numbers["precision"], "recall": numbers["recall"]}


def _watched(folder: Path) -> dict[str, Any]:
    """What the log tells."""
    entries = list(read_log(folder / "log.jsonl"))
    scores = [each["scores"]["sketch_distance"] for each in entries if each.get("scores")]
    alarms = sorted({each["event"] for each in entries if "event" in each})
    return {"seen": entries[-1]["seen"], "sketch_distances": [round(each, 3) for each in scores], "alarms": alarms}


if __name__ == "__main__":
    measured(sys.argv[1], sys.argv[2])

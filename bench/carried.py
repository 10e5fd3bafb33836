"""Carried over: which bundled painter a small set begins with

10, 100 and 1,000 characters of a hand that no bundled painter has seen (DroidSansFallback's sans serif, 64×64, grey, no
labels), learned for two minutes of one processor: a `dcgan` from nothing, one that begins with the bundled
`characters`, and a `flow` that begins with the bundled `calligraphy`, as that learned and told what is done to its
pictures. Distances as in Generation: Fréchet and kernel (× 1000) on MobileNetV2's features, and of patches of pixels (×
1000), between samples and pictures held out, with 95 % intervals; less is better. Copies are samples nearer to a
training picture than its nearest fellow is. A run that was measured is not run again (`python -m bench.carried SET
METHOD` is one run; `python -m bench.transfer sets` gathers the pictures).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import danqing
from bench.generation import COLUMNS, figure, scored
from bench.projected import precision
from bench.spending import learned_for
from bench.transfer import FEW, NETS, gather
from bench.transfer import SETS as FOLDER
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.training.record import read_log

RUNS = Path("runs/carried")
SETS = tuple(f"sans-{count}" for count in FEW)
TOLD = "flow --from calligraphy --told-augment 0.12"
METHODS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "dcgan from nothing": ("dcgan", NETS),
    "dcgan --from characters": ("dcgan", {"from_": "characters"}),
    "flow --from calligraphy": ("flow", {"from_": "calligraphy"}),
    TOLD: ("flow", {"from_": "calligraphy", "told_augment": 0.12}),
}
SECONDS, FIRST = 120, 1_280
SAMPLES = 512


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    gather()
    return {"seconds": SECONDS, "samples": SAMPLES, "rows": [measured(*each) for each in _all()]}


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    rows = [measured(*each) for each in _all() if _kept(*each).exists()]
    return {"seconds": SECONDS, "samples": SAMPLES, "rows": rows}


def _all() -> list[tuple[str, str]]:
    return [(name, method) for name in SETS for method in METHODS]


def measured(name: str, method: str) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    kept = _kept(name, method)
    if kept.exists():
        return dict(json.loads(kept.read_text("utf-8")))
    known = learned_for(SECONDS, kept.parent, partial(_begun, name, method), FIRST)
    model = kept.parent / "model.safetensors"
    write(contact_sheet(danqing.generate(load(str(model), kind=Painter), count=40), 10), kept.with_suffix(".png"))
    entries = list(read_log(kept.parent / "log.jsonl"))
    row = {
        "set": name,
        "method": method,
        "seen": entries[-1]["seen"],
        "seconds": known[-1]["seconds"],
        "alarms": sorted({each["event"] for each in entries if "event" in each}),
        **scored(model, str(FOLDER / name), SAMPLES),
    }
    kept.write_text(json.dumps(row, indent=1), "utf-8")
    print(row, flush=True)
    return row


def _begun(name: str, method: str, budget: str) -> None:
    """Begin a run."""
    family, values = METHODS[method]
    usual = {"size": 64, "threads": 1, "precision": precision(), "every": "50%", "schedule": "constant"}
    out = _kept(name, method).parent
    danqing.train(family, str(FOLDER / name), budget=budget, doctor="watch", out=out, **{**usual, **values})


def _kept(name: str, method: str) -> Path:
    """Where the figures of a run are, beside it."""
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{method}") / "measured.json"


def table(result: dict[str, Any]) -> str:
    """A line a run; what was not measured is counted."""
    heads = ["pictures", "method", "seen", "processor s", *(head for head, _, _ in COLUMNS.values())]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        figures = [figure(row[key], times, digits) for key, (_, times, digits) in COLUMNS.items()]
        count = int(row["set"].rpartition("-")[2])
        cells = [f"{count:,}", row["method"], f"{row['seen']:,}", f"{row['seconds']:.0f}", *figures]
        lines.append("| " + " | ".join(cells) + " |")
    if left := len(_all()) - len(result["rows"]):
        lines += ["", f"{left} of {len(_all())} runs are not measured yet."]
    return "\n".join(lines)


if __name__ == "__main__":
    measured(*sys.argv[1:])

"""Carried over: which bundled painter a small set begins with

10, 100 and 1,000 pictures of 64×64 px without labels, learned for two minutes of one processor: characters of a hand
that no bundled painter has seen (DroidSansFallback's sans serif, grey), and pieces of photographs of one grain (bark,
grass, stone …, in colour), which are like nothing that one has. A `dcgan` from nothing, one that begins with the
bundled `characters`, and a `flow` that begins with the bundled `calligraphy` or, in colour, `emoji`: told what is done
to its pictures, as `emoji` was, or not, as `calligraphy`. Distances as in Generation: Fréchet and kernel (× 1000) on
MobileNetV2's features, and of patches of pixels (× 1000), between samples and pictures held out, with 95 % intervals;
less is better. Copies are samples nearer to a training picture than its nearest fellow is. A run that was measured is
not run again (`python -m bench.carried SET METHOD` is one run; characters come from the Debian package
fonts-droid-fallback, pieces from runs/textures).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import danqing
from bench.generation import COLUMNS, figure, scored
from bench.projected import precision
from bench.rows import kept, known, record, whence
from bench.spending import learned_for
from bench.transfer import FEW, NETS, few, gather
from bench.transfer import SETS as FOLDER
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.training.record import read_log

RUNS = Path("runs/carried")
KINDS = {"sans": "calligraphy", "textures": "emoji"}  # and the flow to begin with
PIECES = Path("runs/textures")


def _methods(source: str) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """What is tried where a flow can begin with ``source``."""
    flows = {told: {"from_": source, "told_augment": told} for told in (0.0, 0.12)}
    return {
        "dcgan from nothing": ("dcgan", NETS),
        "dcgan --from characters": ("dcgan", {"from_": "characters"}),
        **{f"flow --from {source} --told-augment {told:g}": ("flow", values) for told, values in flows.items()},
    }


METHODS = {f"{kind}-{count}": _methods(source) for count in FEW for kind, source in KINDS.items()}
BY = ("set", "method")
SECONDS, FIRST = 120, 1_280
SAMPLES = 512


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"seconds": SECONDS, "samples": SAMPLES, "rows": [measured(*each) for each in _all()]}


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    return {"seconds": SECONDS, "samples": SAMPLES, "rows": known("carried", BY, _all(), _kept)}


def _all() -> list[tuple[str, str]]:
    return [(name, method) for name, methods in METHODS.items() for method in methods]


def measured(name: str, method: str) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    file = _kept(name, method)
    if row := kept(file):
        return row
    kind, _, count = name.rpartition("-")
    if kind == "textures":
        few(PIECES, FOLDER / name, int(count))
    else:
        gather()
    spent = learned_for(SECONDS, file.parent, partial(_begun, name, method), FIRST)
    model = file.parent / "model.safetensors"
    write(contact_sheet(danqing.generate(load(str(model), kind=Painter), count=40), 10), file.with_suffix(".png"))
    entries = list(read_log(file.parent / "log.jsonl"))
    row = {
        "set": name,
        "method": method,
        "seen": entries[-1]["seen"],
        "seconds": spent[-1]["seconds"],
        "alarms": sorted({each["event"] for each in entries if "event" in each}),
        **scored(model, str(FOLDER / name), SAMPLES),
    }
    return record(file, row)


def _begun(name: str, method: str, budget: str) -> None:
    """Begin a run."""
    family, values = METHODS[name][method]
    usual = {"size": 64, "threads": 1, "precision": precision(), "every": "50%", "schedule": "constant"}
    out = _kept(name, method).parent
    danqing.train(family, str(FOLDER / name), budget=budget, doctor="watch", out=out, **{**usual, **values})


def _kept(name: str, method: str) -> Path:
    """Where the figures of a run are, beside it."""
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{method}") / "measured.json"


def table(result: dict[str, Any]) -> str:
    """A line a run; what was not measured is counted."""
    heads = ["pictures", "of", "method", "seen", "processor s", *(head for head, _, _ in COLUMNS.values())]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        figures = [figure(row[key], times, digits) for key, (_, times, digits) in COLUMNS.items()]
        kind, _, count = row["set"].rpartition("-")
        cells = [f"{int(count):,}", kind, row["method"], f"{row['seen']:,}", f"{row['seconds']:.0f}", *figures]
        lines.append("| " + " | ".join(cells) + " |")
    if notes := whence(result["rows"], BY):
        lines += ["", *notes]
    if left := len(_all()) - len(result["rows"]):
        lines += ["", f"{left} of {len(_all())} runs are not measured yet."]
    return "\n".join(lines)


if __name__ == "__main__":
    measured(*sys.argv[1:])

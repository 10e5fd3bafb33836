"""The doctor: runs made to fail, treated and untreated

Each run is driven until it fails, once with the doctor only watching and once with it acting; both spend the same
budget, since pictures of steps that are taken back count. The sketch distance is the run's own score, the
kernel distance (× 1000) and recall are taken on the bundled classifier's features with 512 samples; less is better,
but for recall.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import danqing
from danqing.training.record import read_log

UNLEASHED: dict[str, Any] = {
    "loss": "non-saturating", "penalty": "none", "conditional": False, "schedule": "constant", "budget": "60kimg",
    "every": "5%", "precision": "fp32", "batch": 64, "threads": 1,
}  # fmt: skip
CASES = {
    "no penalty, rate 0.05": {**UNLEASHED, "lr": 0.05},
    "no penalty, rate 0.02": {**UNLEASHED, "lr": 0.02},
    "least squares, no penalty, rate 0.02": {**UNLEASHED, "loss": "least-squares", "lr": 0.02},
}


def run() -> dict[str, Any]:
    """Fail, and be treated."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            _measured(name, manner, Path(folder) / f"{at}-{manner}")
            for at, name in enumerate(CASES)
            for manner in ("watch", "act")
        ]
    return {"rows": rows}


def table(result: dict[str, Any]) -> str:
    """A line a run."""
    lines = ["| run (mlpgan, digits) | doctor | sketch distance | kernel distance | recall | alarms | went back |"]
    lines.append("|---" * 7 + "|")
    for row in result["rows"]:
        figures = [f"{row['sketch']:.2f}", f"{1000 * row['kernel']:.0f}", f"{row['recall']:.2f}"]
        last = [", ".join(row["alarms"]) or "–", ", ".join(f"{a:,} → {b:,}" for a, b in row["back"]) or "–"]
        manner = {"watch": "watches", "act": "acts"}[row["doctor"]]
        lines.append("| " + " | ".join([row["run"], manner, *figures, *last]) + " |")
    return "\n".join(lines)


def _measured(name: str, manner: str, out: Path) -> dict[str, Any]:
    result = danqing.train("mlpgan", "digits", **CASES[name], doctor=manner, out=out)
    entries = list(read_log(out / "log.jsonl"))
    found = danqing.evaluate(result.model, "digits", count=512, metrics="kernel,precision")
    numbers = {row["score"]: row["value"] for row in found.numbers}
    row = {
        "run": name,
        "doctor": manner,
        "sketch": next(e["scores"]["sketch_distance"] for e in reversed(entries) if e.get("scores")),
        "kernel": numbers["kernel_distance"],
        "recall": numbers["recall"],
        "alarms": result.summary["alarms"],
        "back": [(e["at_step"], e["back_to"]) for e in entries if "back_to" in e],
        "steps": result.summary["steps"],
    }
    print(row, flush=True)
    return row

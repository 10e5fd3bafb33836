"""The doctor: runs made to fail, treated and untreated

Each run is driven until it fails, once with the doctor only watching and once with it acting; both spend the same
budget, since pictures of steps that are taken back count. The sketch distance is the run's own score; kernel distance
(× 1000) and recall of 512 samples are taken on the bundled classifier's features for digits, and on
EfficientNet-Lite0's for characters; less is better, but for recall. `mlpgan` learns digits without a penalty on the
critic's slopes; `dcgan` learns Chinese characters (`python -m danqing.zoo.characters runs/characters`) of 64 px, with
nets half as wide as usual, as it would with rate and γ that were chosen on digits, and with a rate that is too low for
its penalty.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import danqing
from bench.projected import precision
from danqing.training.record import read_log


class Case(NamedTuple):
    """A run that fails."""

    family: str
    data: str
    options: Mapping[str, Any]


UNLEASHED: Mapping[str, Any] = {
    "loss": "non-saturating", "penalty": "none", "conditional": False, "schedule": "constant", "budget": "60kimg",
    "every": "5%", "precision": "fp32", "batch": 64,
}  # fmt: skip
NARROW: Mapping[str, Any] = {
    "size": 64, "width": 24, "critic_width": 16, "budget": "64kimg", "every": "2kimg",
}  # fmt: skip
CASES = {
    "digits, no penalty, rate 0.05": Case("mlpgan", "digits", {**UNLEASHED, "lr": 0.05}),
    "digits, no penalty, rate 0.02": Case("mlpgan", "digits", {**UNLEASHED, "lr": 0.02}),
    "digits, least squares, no penalty, rate 0.02": Case(
        "mlpgan", "digits", {**UNLEASHED, "loss": "least-squares", "lr": 0.02}
    ),
    "characters, free doublings, rate 0.002, γ 0.1": Case(
        "dcgan", "runs/characters", {**NARROW, "doubling": "free", "lr": 2e-3, "gamma": 0.1}
    ),
    "characters, rate 0.0004": Case("dcgan", "runs/characters", {**NARROW, "lr": 2e-3 * (28 / 64) ** 2}),
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
    lines = ["| run | doctor | sketch distance | kernel distance | recall | alarms | went back |"]
    lines.append("|---" * 7 + "|")
    for row in result["rows"]:
        figures = [f"{row['sketch']:.2f}", f"{1000 * row['kernel']:.0f}", f"{row['recall']:.2f}"]
        last = [", ".join(row["alarms"]) or "–", ", ".join(f"{a:,} → {b:,}" for a, b in row["back"]) or "–"]
        manner = {"watch": "watches", "act": "acts"}[row["doctor"]]
        lines.append("| " + " | ".join([row["run"], manner, *figures, *last]) + " |")
    return "\n".join(lines)


def _measured(name: str, manner: str, out: Path) -> dict[str, Any]:
    case = CASES[name]
    result = danqing.train(
        case.family, case.data, **{"precision": precision(), **case.options}, threads=1, doctor=manner, out=out
    )
    entries = list(read_log(out / "log.jsonl"))
    found = danqing.evaluate(result.model, case.data, count=512, metrics="kernel,precision")
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

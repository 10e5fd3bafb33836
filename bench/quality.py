"""Quality for time: conditional digits in two minutes

Two runs of the same two minutes on the same machine, one after the other: danqing's defaults for conditional digits,
and the tutorials' DCGAN (unconditional, plain cross-entropy, the same nets and Adam as in the throughput benchmark, no
averaging of weights), trained by the same loop. 2,000 samples of each are measured on the features of the bundled digit
classifier against the 2,000 held-out real digits. The floor is the distance between real training digits and real
held-out ones. A Fréchet distance on these features is not an FID.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

import danqing
from bench.tutorial import TUTORIAL

SEEDS = (0, 1, 2)
BUDGET = "2m"
SAMPLES = 2000


def run() -> dict[str, Any]:
    """Train and score both, once a seed."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            runs = {
                "danqing": danqing.train("dcgan", "digits", budget=BUDGET, seed=seed, out=Path(folder, f"ours{seed}")),
                "tutorial": danqing.train(
                    "dcgan", "digits", **TUTORIAL, budget=BUDGET, seed=seed, out=Path(folder, f"theirs{seed}")
                ),
            }
            rows.append({"seed": seed, **{name: _score(result, seed) for name, result in runs.items()}})
    ours = [row["danqing"]["frechet_distance"] for row in rows]
    theirs = [row["tutorial"]["frechet_distance"] for row in rows]
    return {
        "budget": BUDGET,
        "rows": rows,
        "class_accuracy": statistics.median(row["danqing"]["class_accuracy"] for row in rows),
        "frechet_ratio": statistics.median(a / b for a, b in zip(ours, theirs, strict=True)),
        "floor": rows[0]["danqing"]["floor"],
    }


def _score(result: Any, seed: int) -> dict[str, Any]:
    """The scores of a run by name; a class is covered when samples lie among a tenth of its real pictures or more."""
    found = danqing.evaluate(result.model, data="digits", count=SAMPLES, seed=seed).numbers
    rows = {row["score"]: row for row in found}
    covered = [row["value"] >= 0.1 for name, row in rows.items() if name.startswith("coverage of ")]
    names = ("frechet_distance", "precision", "recall", "density", "coverage", "copied_share")
    return {
        "steps": result.summary["steps"],
        **{name: rows[name]["value"] for name in names},
        "interval": [rows["frechet_distance"]["low"], rows["frechet_distance"]["high"]],
        "class_accuracy": rows["class_accuracy"]["value"] if "class_accuracy" in rows else None,
        "classes_covered": sum(covered),
        "floor": rows["frechet_distance"]["real"],
    }


def table(result: dict[str, Any]) -> str:
    """A line a run."""
    lines = [
        f"**{result['class_accuracy']:.1%}** of 2,000 samples are recognised as the asked digit (median of "
        f"{len(result['rows'])} seeds); the Fréchet distance is **{result['frechet_ratio']:.2f}** of the tutorial's "
        f"(median ratio). Floor, real against real: {result['floor']:.2f}.",
        "",
        "| seed | run | steps | Fréchet distance | class accuracy | classes covered | precision | recall | density "
        "| coverage |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        for name in ("danqing", "tutorial"):
            s = row[name]
            accuracy = f"{s['class_accuracy']:.1%}" if s["class_accuracy"] is not None else "–"
            lines.append(
                f"| {row['seed']} | {name} | {s['steps']} | {s['frechet_distance']:.2f} | {accuracy} "
                f"| {s['classes_covered']} | {s['precision']:.3f} | {s['recall']:.3f} | {s['density']:.3f} "
                f"| {s['coverage']:.3f} |"
            )
    return "\n".join(lines)

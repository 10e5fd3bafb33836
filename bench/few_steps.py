"""Few steps: a flow that was taught to paint in four steps, against the same flow taking four

The flow in latents of emoji that the bench of latents measures (64×64, ten steps of Euler) is the teacher. Taught: a
flow that begins with its weights and learns to paint in four steps, from the same latent, what it paints in ten
(`danqing train flow EMOJI --from FLOW --teacher FLOW --steps 4 --solver euler`), for five more processor minutes of one
thread. "Longer" learned five minutes more without a teacher, so that what more learning gives is told apart. Fréchet
and kernel distance (× 1000) of samples from held-out pictures on MobileNetV2's features, sliced Wasserstein distance (×
1000) of patches; less is better; in brackets: 95 % intervals. PSNR: how near the picture is to what the teacher paints
of the same latent in fifty steps of Heun. A run that was measured is not run again (`python -m bench.few_steps KIND` is
one).
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch

import danqing
from bench.generation import figure
from bench.latents import PLAIN, SETS, SIZE, measured, painted
from bench.spending import learned_for
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load

RUNS = Path("runs/few-steps")
SET, TEACHER = "emoji", Path("runs/latents/emoji-flow-in-latents-300")
SECONDS, FIRST = 300, 640
RATE = 3e-4  # what the teacher has learned is near the end of its way
KINDS: dict[str, dict[str, Any]] = {
    "longer": PLAIN,
    "taught": {**PLAIN, "teacher": str(TEACHER), "steps": 4},
}
WAYS = ((10, "euler"), (4, "euler"), (4, "heun"), (2, "euler"))
LATENTS = 64


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    measured(SET, "flow in latents")
    return {"rows": [row for kind in ("teacher", *KINDS) for row in rows_of(kind)]}


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    kinds = [kind for kind in ("teacher", *KINDS) if _kept(kind).exists()]
    return {"rows": [row for kind in kinds for row in rows_of(kind)]}


def rows_of(kind: str) -> list[dict[str, Any]]:
    """One model, painting in as many steps as are compared, or what is kept of it."""
    kept = _kept(kind)
    if kept.exists():
        return list(json.loads(kept.read_text("utf-8")))
    kept.parent.mkdir(parents=True, exist_ok=True)
    seconds = 0.0
    if kind != "teacher":
        seconds = learned_for(SECONDS, kept.parent, partial(_begun, kind), FIRST)[-1]["seconds"]
    model = load(str(TEACHER if kind == "teacher" else kept.parent), kind=Painter)
    rows = []
    for steps, solver in WAYS:
        model.config.update(steps=steps, solver=solver)
        row = {"kind": kind, "seconds": seconds, "steps": steps, "solver": solver, "psnr": _near(model)}
        row |= painted(model, SET, kept.parent)
        (kept.parent / "samples.png").rename(kept.parent / f"samples-{steps}-{solver}.png")
        rows.append(row)
        print(row, flush=True)
    kept.write_text(json.dumps(rows, indent=1), "utf-8")
    return rows


def _near(model: Painter) -> float:
    """How near the model's pictures are to those of the teacher at many steps, in dB: the median."""
    teacher = load(str(TEACHER), kind=Painter)
    teacher.config.update(steps=50, solver="heun")
    rng = torch.Generator().manual_seed(1)
    z = torch.randn(LATENTS, *teacher.latent, generator=rng)
    label = torch.arange(LATENTS) % max(1, int(teacher.config["classes"]))
    with torch.no_grad():
        error = (model.paint(z, label) - teacher.paint(z, label)).square().flatten(1).mean(1)
    return float((-10 * error.log10()).median())


def _begun(kind: str, budget: str) -> None:
    """Begin a run."""
    usual = {"size": SIZE, "threads": 1, "doctor": "watch", "every": "50%", "lr": RATE, "from_": str(TEACHER)}
    danqing.train("flow", SETS[SET], budget=budget, out=_kept(kind).parent, **{**usual, **KINDS[kind]})


def _kept(kind: str) -> Path:
    """Where the figures of a model are, beside its run."""
    return RUNS / kind / "measured.json"


def table(result: dict[str, Any]) -> str:
    """A line a model and a number of steps."""
    heads = ["flow", "steps", "solver", "evaluations", "ms a sample", "PSNR, dB", "Fréchet", "kernel", "patches"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        figures = [figure(row[key], times, digits) for key, times, digits in FIGURES]
        evaluations = row["steps"] * (2 if row["solver"] == "heun" else 1)
        cells = [row["kind"], row["steps"], row["solver"], evaluations, f"{row['ms_a_sample']:.0f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['psnr']:.1f}", *figures])) + " |")
    return "\n".join(lines)


FIGURES = (("frechet", 1, 2), ("kernel", 1000, 0), ("patches", 1000, 1))


if __name__ == "__main__":
    rows_of(sys.argv[1])

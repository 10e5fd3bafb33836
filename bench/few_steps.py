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

import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch

import danqing
from bench.generation import figure
from bench.latents import PLAIN, SETS, SIZE, measured, painted
from bench.rows import known, record, whence
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
BY = ("kind", "steps", "solver")


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    measured(SET, "flow in latents")
    for kind in ("teacher", *KINDS):
        taught(kind)
    return so_far()


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    wanted = [(kind, *way) for kind in ("teacher", *KINDS) for way in WAYS]
    return {"rows": known("few_steps", BY, wanted, _kept)}


def taught(kind: str) -> None:
    """Let one model learn, and paint in as many steps as are compared."""
    folder, seconds = RUNS / kind, 0.0
    if all(_kept(kind, *way).exists() for way in WAYS):
        return
    folder.mkdir(parents=True, exist_ok=True)
    if kind != "teacher":
        seconds = learned_for(SECONDS, folder, partial(_begun, kind), FIRST)[-1]["seconds"]
    model = load(str(TEACHER if kind == "teacher" else folder), kind=Painter)
    for steps, solver in WAYS:
        model.config.update(steps=steps, solver=solver)
        row = {"kind": kind, "seconds": seconds, "steps": steps, "solver": solver, "psnr": _near(model)}
        row |= painted(model, SET, folder)
        (folder / "samples.png").rename(folder / f"samples-{steps}-{solver}.png")
        record(_kept(kind, steps, solver), row)


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
    danqing.train("flow", SETS[SET], budget=budget, out=RUNS / kind, **{**usual, **KINDS[kind]})


def _kept(kind: str, steps: int, solver: str) -> Path:
    """Where the figures of a model in so many steps are, beside its run."""
    return RUNS / kind / f"measured-{steps}-{solver}.json"


def table(result: dict[str, Any]) -> str:
    """A line a model and a number of steps."""
    heads = ["flow", "steps", "solver", "evaluations", "ms a sample", "PSNR, dB", "Fréchet", "kernel", "patches"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        figures = [figure(row[key], times, digits) for key, times, digits in FIGURES]
        evaluations = row["steps"] * (2 if row["solver"] == "heun" else 1)
        cells = [row["kind"], row["steps"], row["solver"], evaluations, f"{row['ms_a_sample']:.0f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['psnr']:.1f}", *figures])) + " |")
    return "\n".join([*lines, "", *whence(result["rows"], BY)])


FIGURES = (("frechet", 1, 2), ("kernel", 1000, 0), ("patches", 1000, 1))


if __name__ == "__main__":
    taught(sys.argv[1])

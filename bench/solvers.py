"""Solvers: how a flow's pictures come out, for how often its net is asked

The bundled flows at 64×64, emoji and characters (`calligraphy`), which paint by their classes with the guidance that
they are shipped with. PSNR: how near a picture is to what the same latent becomes in sixty steps of Heun (the median of
64), which is where its noise leads. Fréchet and kernel distance (× 1000) of 1,024 samples from held-out pictures on
MobileNetV2's features, sliced Wasserstein distance (× 1000) of 7×7 patches; less is better; in brackets: 95 %
intervals. Milliseconds are those of one processor, many pictures at a time. A way that was measured is not measured
again (`python -m bench.solvers MODEL` is all of one model).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from bench.generation import figure
from bench.latents import painted
from bench.rows import kept, known, record, whence
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load

RUNS = Path("runs/solvers")
MODELS = {"emoji": "emoji", "calligraphy": "characters"}
"""And the set that each has learned."""
WAYS = (("euler", 11), ("heun", 6), ("adams", 11), ("adams", 7), ("heun", 10), ("adams", 20))
EXACT = ("heun", 60)
LATENTS = 64
BY = ("model", "solver", "steps")
FIGURES = (("frechet", 1, 2), ("kernel", 1000, 0), ("patches", 1000, 1))


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    for model in MODELS:
        gone(model)
    return so_far()


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    return {"rows": known("solvers", BY, [(model, *way) for model in MODELS for way in WAYS], _kept)}


def gone(name: str) -> None:
    """Let one model paint every way."""
    if all(kept(_kept(name, *way)) for way in WAYS):
        return
    exact = _painted(name, *EXACT)
    for solver, steps in WAYS:
        file = _kept(name, solver, steps)
        if kept(file):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        error = (_painted(name, solver, steps) - exact).square().flatten(1).mean(1)
        near = float((-10 * error.log10()).median())
        row = {"model": name, "solver": solver, "steps": steps, "psnr": near}
        record(file, {**row, **painted(_going(name, solver, steps), MODELS[name], file.parent)})


def _painted(name: str, solver: str, steps: int) -> torch.Tensor:
    """What the same latents become."""
    model = _going(name, solver, steps)
    z = torch.randn(LATENTS, *model.latent, generator=torch.Generator().manual_seed(1))
    label = torch.arange(LATENTS) % int(model.config["classes"])
    with torch.no_grad():
        return model.paint(z, label)


def _going(name: str, solver: str, steps: int) -> Painter:
    model = load(name, kind=Painter)
    model.config.update(steps=steps, solver=solver)
    return model


def _kept(name: str, solver: str, steps: int) -> Path:
    return RUNS / f"{name}-{solver}-{steps}" / "measured.json"


def _asked(solver: str, steps: int) -> int:
    """How often the net is asked for a picture."""
    return 2 * steps - 1 if solver == "heun" else steps


def table(result: dict[str, Any]) -> str:
    """A line a way."""
    heads = ["model", "solver", "steps", "evaluations", "ms a sample", "PSNR, dB", "Fréchet", "kernel", "patches"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        solver, steps = row["solver"], row["steps"]
        figures = [figure(row[key], times, digits) for key, times, digits in FIGURES]
        cells = [row["model"], solver, steps, _asked(solver, steps), f"{row['ms_a_sample']:.0f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['psnr']:.1f}", *figures])) + " |")
    return "\n".join([*lines, "", *whence(result["rows"], BY)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    gone(sys.argv[1])

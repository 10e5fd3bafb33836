"""Curated: what rejection by the model itself buys, of the bundled generators that can judge

Each generator paints 1,024 pictures of one seed, and `curate` keeps a quarter; beside them the first quarter as it
comes, and the quarter that it would keep last. Against pictures held out, on MobileNetV2's features, which no model
saw: precision (share of samples among real ones; more is better), density (how deep among them), coverage (share of
real ones with a sample near by) and Fréchet distance, with 95 % intervals. `emoji` and `calligraphy` are flows,
`characters` a dcgan, `textures` a stylegan. Processor milliseconds are those of judging one picture, and of painting
it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.generation import figure
from bench.latents import estimated, packed, pictures_of
from bench.rows import known, record, whence
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.maths.latents import class_rule, numbered_codes
from danqing.maths.neighbours import precision_recall_density_coverage
from danqing.maths.rejection import best_within_classes, judged
from danqing.maths.statistics import frechet_distance
from danqing.nets.backbones import feature_net

RUNS = Path("runs/curated")
SETS = {
    "emoji": "runs/emoji",
    "calligraphy": "runs/characters",
    "characters": "runs/characters",
    "textures": "runs/textures",
}
BY = ("weights", "kept")
KEPT, TRIES = 256, 4
SHOWN = 40
WAYS = ("as they come", "best", "worst")
COLUMNS = {"precision": 2, "density": 2, "coverage": 2, "Fréchet": 2}


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    for name in SETS:
        if not all(_kept(name, way).exists() for way in WAYS):
            measured(name)
    return so_far()


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    return {"rows": known("curated", BY, [(name, way) for name in SETS for way in WAYS], _kept)}


def measured(name: str) -> None:
    """One generator: its best, its worst, and what comes."""
    torch.set_num_threads(1)
    model = load(name, kind=Painter)
    rule, numbers = class_rule(model, 0, None), range(KEPT * TRIES)
    began = time.process_time()
    samples = finish(paint_coded(model, numbered_codes(model, 0, numbers, None, 1.0)))
    painting = time.process_time() - began
    y = None if rule is None else torch.tensor(list(map(rule, numbers)))
    logits = finish(judged(model, samples, y))
    judging = time.process_time() - began - painting
    chosen = {
        "as they come": torch.arange(KEPT),
        "best": best_within_classes(logits, y, KEPT),
        "worst": best_within_classes(-logits, y, KEPT),
    }
    net = feature_net("mobilenet-v2")
    real = net(pictures_of(packed(SETS[name], "test", model)))
    for way, some in chosen.items():
        row = {"weights": name, "kept": way, "judging": judging / len(samples), "painting": painting / len(samples)}
        record(_kept(name, way), {**row, **_scores(real, net(samples[some]))})
        write(contact_sheet(samples[some[:SHOWN]], 10), _kept(name, way).with_suffix(".png"), force=True)


def _scores(real: Tensor, features: Tensor) -> dict[str, Any]:
    found = precision_recall_density_coverage(real, features)
    found["Fréchet"] = frechet_distance(features, real)
    return {name: estimated(found[name]) for name in COLUMNS}


def _kept(name: str, way: str) -> Path:
    """Where the figures are, with the pictures beside them."""
    return RUNS / f"{name}-{way.replace(' ', '-')}.json"


def table(result: dict[str, Any]) -> str:
    """A line a choice."""
    lines = [
        "| weights | kept | precision | density | coverage | Fréchet | ms judging | ms painting |",
        "|---" * 8 + "|",
    ]
    for row in result["rows"]:
        figures = [figure(row[name], 1, digits) for name, digits in COLUMNS.items()]
        times = [f"{1000 * row[name]:.0f}" for name in ("judging", "painting")]
        lines.append("| " + " | ".join([row["weights"], row["kept"], *figures, *times]) + " |")
    return "\n".join([*lines, "", *whence(result["rows"], BY)])

"""Drift: a painter without a critic against `dcgan`, in equal processor time

Each learns for as much processor time, on one thread in bf16, with its defaults (of `dcgan` adaptive augmentation too,
where nothing else is said), the rate falling in a line. Scores are on MobileNetV2's maps (means and deviations of
blocks 3, 8 and 12), which nothing sees that learns: `drift` looks with EfficientNet-Lite0. The kernel distance (× 1000)
is on held-out pictures; of few pictures, on those learned from. Patches: the sliced Wasserstein distance of 7×7
patches at three sizes (× 1000). Near-copies: share of samples nearer to a picture learned from than its nearest fellow.
The grid is the strength of the strides' frequencies in the samples' spectrum over that in as many real pictures: about
1 is none. Fixed lines: which share of what rows and columns do beside their neighbours is alike in all samples. A run
that was measured is not run again (`python -m bench.drift SET WHO` is one run).
"""

from __future__ import annotations

import functools
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Generator, Tensor
from torch.nn import functional

import danqing
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter, Samples
from danqing.core.pictures.contract import Images
from danqing.core.progress import finish
from danqing.data.store import Store, pack
from danqing.maths.neighbours import copied_share, precision_recall_density_coverage
from danqing.maths.spectrum import fixed_lines, grid_strength
from danqing.maths.statistics import kernel_distance
from danqing.models import drift
from danqing.nets.adversary import plays
from danqing.nets.glances import Glance, drawn_glance
from danqing.nets.mobilenet_v2 import mobilenet_v2_maps
from danqing.training.adaptive import Adaptive, kind_for
from danqing.training.doctor import Doctor
from danqing.training.ema import Ema
from danqing.training.machine import to_machine
from danqing.training.step import Stepper

RUNS = Path("runs/drift")
SAMPLES, SHOWN, SEEN, SIDE = 256, 64, 512, 96
BLOCKS = (3, 8, 12)
EMA = 3000  # pictures: runs are short
UNBALANCED, NEITHER = "drift, not balanced", "drift, neither balanced nor moved"


class Set(NamedTuple):
    """Pictures, and for how many processor seconds they are learned from."""

    data: str
    size: int
    channels: int
    seconds: int
    conditional: bool = False
    few: bool = False


SETS = {
    "emoji, 32 px": Set("runs/emoji", 32, 3, 36),
    "characters, 32 px": Set("runs/characters", 32, 1, 25, conditional=True),
    "100 emoji, 32 px": Set("runs/emoji-100", 32, 3, 25, few=True),
    "emoji": Set("runs/emoji", 64, 3, 150),
}
WHO: Mapping[str, tuple[str, str, Mapping[str, Any]]] = MappingProxyType(
    {  # family, augmentation before the critic, options
        "dcgan": ("dcgan", "auto", {}),
        "drift": ("drift", "none", {}),
        UNBALANCED: ("drift", "none", {}),
        NEITHER: ("drift", "none", {}),
        "dcgan, DiffAugment": ("dcgan", "diff", {}),
        "drift, nearest": ("drift", "none", {"pull": "nearest"}),
    }
)
PAIRS = (
    *(("emoji, 32 px", who) for who in ("drift", "dcgan", UNBALANCED, NEITHER)),
    *(("100 emoji, 32 px", who) for who in ("drift, nearest", "dcgan, DiffAugment", "drift")),
    *(("characters, 32 px", who) for who in ("drift", "dcgan")),
    *(("emoji", who) for who in ("drift", "dcgan", UNBALANCED)),
)


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"samples": SAMPLES, "rows": [measured(*pair) for pair in PAIRS]}


def table(result: dict[str, Any]) -> str:
    """A line a run."""
    heads = ["set", "who", "processor s", "pictures seen", "kernel distance", "patches", "precision", "recall"]
    heads += ["coverage", "near-copies", "grid", "fixed lines"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        low, high = row["kernel_bounds"]
        kernel = f"{1000 * row['kernel']:.1f} ({1000 * low:.1f} to {1000 * high:.1f})"
        shares = [f"{row[name]:.2f}" for name in ("precision", "recall", "coverage", "copied", "grid", "fixed")]
        figures = [f"{row['processor_seconds']:.0f}", f"{row['seen']:,}", kernel, f"{1000 * row['patches']:.1f}"]
        lines.append("| " + " | ".join([row["set"], row["who"], *figures, *shares]) + " |")
    return "\n".join(lines)


def measured(name: str, who: str) -> dict[str, Any]:
    """One run, or what is kept of it."""
    folder = RUNS / re.sub(r"[^\w]+", "-", f"{name}-{who}")
    kept = folder / "measured.json"
    if kept.exists():
        return dict(json.loads(kept.read_text("utf-8")))
    torch.set_num_threads(1)
    with ExitStack() as changes:
        if who in (UNBALANCED, NEITHER):
            changes.enter_context(patch.object(drift, "balanced", _plainly))
        if who == NEITHER:
            changes.enter_context(patch.object(drift, "drawn_glance", _still))
        model, seen, seconds = _learned(SETS[name], who)
    painted = model.sample(SAMPLES, Generator().manual_seed(1))
    danqing.write(_sheet(painted[:SHOWN]), folder / "samples.png", force=True)
    row = {"set": name, "who": who, "seen": seen, "processor_seconds": round(seconds, 1), **_scored(painted, name)}
    kept.write_text(json.dumps(row, indent=1), "utf-8")
    print(row, flush=True)
    return row


def _learned(spec: Set, who: str) -> tuple[Painter, int, float]:
    """The averaged weights that a family has learned in its time, how many pictures it saw, and that time."""
    family, asked, options = WHO[who]
    train, held_out = (_store(spec.data, spec.size, split) for split in ("train", "test"))
    classes = len(train.classes) if spec.conditional else 0
    torch.manual_seed(0)
    model = family_named(family)(size=spec.size, channels=spec.channels, classes=classes, **options)
    assert isinstance(model, Painter)
    model = to_machine(model, "cpu").train()  # type: ignore[assignment]
    stepper, ema, rng = Stepper(model, model.optimiser, "bf16"), Ema(model, EMA), Generator().manual_seed(0)
    adaptive, kind = Adaptive(), kind_for(asked, len(train))
    gamma = model.rules.gamma if plays(model) else 0.0
    apart = next(held_out.batches(min(len(held_out), 128), 0))
    apart = apart if classes else Samples(apart.x)
    batches, began, step, spent = train.batches(model.batch_size, 0), time.process_time(), 0, 0.0
    while spent < spec.seconds:
        batch = next(batches)
        adaptive.apply(model, Doctor(), kind, 0.0, gamma)
        stepper.step((batch if classes else Samples(batch.x)).moved_to("cpu"), rng, 1 - spent / spec.seconds)
        step += 1
        ema.update(model, model.batch_size, step * model.batch_size)
        adaptive.follow(model, apart, step, model.batch_size, kind)
        spent = time.process_time() - began
    assert isinstance(ema.model, Painter)
    return ema.model, step * model.batch_size, spent


def _still(size: int, rng: Generator) -> Glance:
    """What is seen from one place, as large as it is; only patches still move."""
    return drawn_glance(size, rng)._replace(side=size, shift=(0, 0), offset=(0, 0))


def _plainly(made: Tensor, pulls: Callable[[Tensor], list[Tensor]]) -> Tensor:
    """The mean over all views: as many of the net's as of pixels."""
    maps, small, patches = pulls(made)
    return (2 * maps + small + patches) / 4


@functools.cache
def _store(data: str, size: int, split: str) -> Store:
    return finish(pack(data, size=size, channels="auto", split=split))


@functools.cache
def _pictures(data: str, size: int, split: str) -> Images:
    store = _store(data, size, split)
    return next(store.batches(min(len(store), SEEN), 0)).x.float().contiguous()


@functools.cache
def _features(data: str, size: int, split: str) -> Tensor:
    return _described(_pictures(data, size, split))


@torch.no_grad()
def _scored(painted: Images, name: str) -> dict[str, Any]:
    spec = SETS[name]
    split = "train" if spec.few else "test"
    real, mine = _pictures(spec.data, spec.size, split), _described(painted)
    theirs, taught = _features(spec.data, spec.size, split), _features(spec.data, spec.size, "train")
    kernel = kernel_distance(mine, theirs)
    low, high = kernel.bounds(0)
    spread = precision_recall_density_coverage(theirs, mine)
    figures = {figure: spread[figure].value for figure in ("precision", "recall", "coverage")}
    return {
        "kernel": kernel.value, "kernel_bounds": [low, high], "patches": _patches(painted, real), **figures,
        "copied": copied_share(mine, taught).value,
        "grid": grid_strength(painted) / grid_strength(real[:SAMPLES]), "fixed": fixed_lines(painted[:SHOWN]),
        "fixed_of_real": fixed_lines(real[:SHOWN]),
    }  # fmt: skip


@torch.no_grad()
def _described(x: Images) -> Tensor:
    """Means and deviations of a net's maps (B, D)."""
    found = []
    for part in x.split(64):
        sized = functional.interpolate(
            part.expand(-1, 3, -1, -1), (SIDE, SIDE), mode="bicubic", align_corners=False
        ).clamp(0, 1)
        maps = mobilenet_v2_maps("cpu").maps(sized, BLOCKS)
        found.append(torch.cat([each.mean((2, 3)) for each in maps.values()], 1))
        found[-1] = torch.cat([found[-1], *(each.std((2, 3)) for each in maps.values())], 1)
    return torch.cat(found)


def _patches(x: Images, y: Images) -> float:
    """Sliced Wasserstein distance of 7×7 patches, the mean over three sizes (1, 1/2, 1/4)."""
    rng, found = Generator().manual_seed(0), []
    for halvings in range(3):
        lines = functional.normalize(torch.randn(128, 49 * x.shape[1], generator=rng), dim=1)
        cast = []
        for each in (x, y):
            bare = functional.unfold(functional.avg_pool2d(each, 2**halvings), 7).transpose(1, 2).flatten(0, 1)
            at = torch.randint(len(bare), (16384,), generator=rng)
            cast.append(torch.quantile(bare[at] @ lines.T, torch.linspace(0, 1, 512), dim=0))
        found.append(float((cast[0] - cast[1]).abs().mean()))
    return sum(found) / len(found)


def _sheet(x: Images, columns: int = 8) -> Images:
    """Pictures (N, C, H, W) side by side."""
    rows = x.unflatten(0, (-1, columns))
    return torch.cat(list(torch.cat(list(rows.transpose(0, 1)), 3)), 1)[None]


if __name__ == "__main__":
    measured(sys.argv[1], sys.argv[2])

"""Drift: a painter without a critic against `dcgan`, in equal processor time

Each learns for as much processor time, on one thread in bf16, with its defaults, the doctor watching; how many pictures
that are is measured before with steps on the same set. Scores are on MobileNetV2's maps (means and deviations of blocks
3, 8 and 12), which nothing sees that learns: `drift` looks with EfficientNet-Lite0. The kernel
distance is × 1000, on held-out pictures; of few pictures, on those learned from, as are near-copies: the share of
samples nearer to one than its nearest fellow is. The grid is the strength of the strides' frequencies in the spectrum
of the samples over that of as many real pictures: about 1 is none. A run that was measured is not run again
(`python -m bench.drift SET WHO` is one run).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor

import danqing
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images
from danqing.core.progress import finish
from danqing.data.store import Store, pack
from danqing.maths.neighbours import copied_share, precision_recall_density_coverage
from danqing.maths.spectrum import grid_strength
from danqing.maths.statistics import kernel_distance
from danqing.models import drift
from danqing.nets.glances import Glance, drawn_glance
from danqing.nets.mobilenet_v2 import mobilenet_v2_maps
from danqing.training.step import Stepper

RUNS = Path("runs/drift")
SAMPLES, SIDE = 512, 128
BLOCKS = (3, 8, 12)
WARM, TIMED = 2, 6  # steps
EMA = 3000  # pictures: runs are short
STILL = "drift, glances not moved"


class Set(NamedTuple):
    """Pictures, and how long they are learned from."""

    data: str
    channels: int
    seconds: int
    conditional: bool = False
    few: bool = False


SETS = {
    "emoji": Set("runs/emoji", 3, 150),
    "characters": Set("runs/characters", 1, 90, conditional=True),
    "100 emoji": Set("runs/emoji-100", 3, 90, few=True),
}
WHO: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "dcgan": ("dcgan", {}),
        "drift": ("drift", {}),
        STILL: ("drift", {}),
        "dcgan, DiffAugment": ("dcgan", {"critic_augment": "diff"}),
        "drift, nearest": ("drift", {"pull": "nearest"}),
    }
)
PAIRS = (
    *(("emoji", who) for who in ("dcgan", "drift", STILL)),
    *(("characters", who) for who in ("dcgan", "drift")),
    *(("100 emoji", who) for who in ("dcgan, DiffAugment", "drift", "drift, nearest")),
)


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"samples": SAMPLES, "rows": [measured(*pair) for pair in PAIRS]}


def table(result: dict[str, Any]) -> str:
    """A line a run."""
    heads = ["set", "who", "processor s", "pictures seen", "kernel distance", "patches", "precision", "recall"]
    heads += ["coverage", "near-copies", "grid"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        low, high = row["kernel_bounds"]
        kernel = f"{1000 * row['kernel']:.0f} ({1000 * low:.0f} to {1000 * high:.0f})"
        shares = [f"{row[name]:.2f}" for name in ("precision", "recall", "coverage", "copied", "grid")]
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
    spec, (family, options) = SETS[name], WHO[who]
    sets = {split: finish(pack(spec.data, size=64, channels="auto", split=split)) for split in ("train", "test")}
    steps = {key: value for key, value in options.items() if key != "critic_augment"}
    values: dict[str, Any] = {
        "size": 64,
        "conditional": spec.conditional,
        "precision": "bf16",
        "threads": 1,
        "doctor": "watch",
    }
    with patch.object(drift, "drawn_glance", _still) if who == STILL else nullcontext():
        count = round(spec.seconds / _seconds_a_step(family, steps, spec, sets["train"])) or 1
        count *= family_named(family).batch_size
        values |= {"budget": f"{count}pictures", "every": "50%", "ema": EMA}
        began = time.process_time()
        model = danqing.train(family, spec.data, **values, **options, out=folder, force=True).model
    row = {"set": name, "who": who, "seen": count, "processor_seconds": round(time.process_time() - began, 1)}
    row |= _scored(load(model), sets["train" if spec.few else "test"], sets["train"])
    kept.write_text(json.dumps(row, indent=1), "utf-8")
    print(row, flush=True)
    return row


def _still(size: int, rng: torch.Generator) -> Glance:
    """What is seen from one place, as large as it is; only patches still move."""
    return drawn_glance(size, rng)._replace(side=size, shift=(0, 0), offset=(0, 0))


def _seconds_a_step(family: str, options: Mapping[str, Any], spec: Set, store: Store) -> float:
    """Processor seconds of a step, looks at the run left out."""
    classes = len(store.classes) if spec.conditional else 0
    model = family_named(family)(size=64, channels=spec.channels, classes=classes, **options)
    model = model.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    stepper, rng = Stepper(model, model.optimiser, "bf16"), torch.Generator().manual_seed(0)
    batch = next(store.batches(model.batch_size, 0)).moved_to("cpu")
    batch = batch if classes else Samples(batch.x)
    for _ in range(WARM):
        stepper.step(batch, rng)
    began = time.process_time()
    for _ in range(TIMED):
        stepper.step(batch, rng)
    return (time.process_time() - began) / TIMED


@torch.no_grad()
def _scored(model: Any, real: Store, train: Store) -> dict[str, Any]:
    painted = model.sample(SAMPLES, torch.Generator().manual_seed(1))
    originals, learned = (next(each.batches(min(len(each), 2 * SAMPLES), 0)).x.float() for each in (real, train))
    mine, theirs, taught = (_seen(each) for each in (painted, originals, learned))
    kernel = kernel_distance(mine, theirs)
    low, high = kernel.bounds(0)
    spread = precision_recall_density_coverage(theirs, mine)
    figures = {name: spread[name].value for name in ("precision", "recall", "coverage")}
    few = originals[: len(painted)]
    return {
        "kernel": kernel.value, "kernel_bounds": [low, high], "patches": _patches(painted, originals), **figures,
        "copied": copied_share(mine, taught).value, "grid": grid_strength(painted) / grid_strength(few),
    }  # fmt: skip


def _seen(x: Images) -> Tensor:
    """Means and deviations of a net's maps (B, D), each number brought to the same spread over photographs' units."""
    found = []
    for part in x.split(64):
        big = torch.nn.functional.interpolate(
            part.expand(-1, 3, -1, -1), (SIDE, SIDE), mode="bicubic", align_corners=False
        )
        maps = mobilenet_v2_maps("cpu").maps(big.clamp(0, 1), BLOCKS)
        both = [torch.cat([each.mean((2, 3)), each.std((2, 3))], 1) for each in maps.values()]
        found.append(torch.cat(both, 1))
    return torch.cat(found)


def _patches(x: Images, y: Images) -> float:
    """Sliced Wasserstein distance of 7×7 patches, the mean over three sizes (1, 1/2, 1/4)."""
    rng, found = torch.Generator().manual_seed(0), []
    for halvings in range(3):
        small = [torch.nn.functional.avg_pool2d(each, 2**halvings) for each in (x, y)]
        lines = torch.nn.functional.normalize(torch.randn(128, 49 * x.shape[1], generator=rng), dim=1)
        ranks = torch.linspace(0, 1, 512)
        cast = []
        for each in small:
            bare = torch.nn.functional.unfold(each, 7, stride=3).transpose(1, 2).flatten(0, 1)
            at = torch.randint(len(bare), (16384,), generator=rng)
            cast.append(torch.quantile(bare[at] @ lines.T, ranks, dim=0))
        found.append(float((cast[0] - cast[1]).abs().mean()))
    return sum(found) / len(found)


if __name__ == "__main__":
    measured(sys.argv[1], sys.argv[2])

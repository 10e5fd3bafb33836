"""Intervals of scores: how often they hold the truth

200 times, real digits are scored against other real digits, no picture in two sets at once, on the features of the
bundled digit classifier. A distance between sets that are drawn alike is 0; what any other score is worth at these
sizes is its mean over all draws. Quoted is the share of draws whose 95 % interval holds that value. The sets have 300
pictures each, or 150, barely more than the 128 features, and 900 or 450 stand for the training pictures.

Below, real digits stand for the samples of a conditional painter, 2,000 training digits against the 2,000 held out,
which have just the shares of classes that all digits have. What classes they are of is copied from the held-out ones;
drawn from the training digits; or drawn from as many classes as are held out, themselves drawn from the training
digits: ``evaluate`` does the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from danqing.core.progress import finish
from danqing.data.digits import digits
from danqing.maths.drawing import classes_as_in, led_by, stream
from danqing.maths.scores import METRICS, About, Seen, Sets, rows
from danqing.maths.statistics import kernel_distance
from danqing.nets.backbones import feature_net

DRAWS = 200
SIZES = (300, 150)
REPEATED, HELD_OUT = 50, 2000
WAYS = ("copied", "drawn", "shares vary")
DISTANCES = ("frechet_distance", "kernel_distance", "fid", "kid")


def looked_at() -> Seen:
    """All built-in digits, as the bundled classifier sees them."""
    pictures, labels = digits()
    features, chances = finish(feature_net("digits").describe(np.ascontiguousarray(pictures[:, None])))
    return Seen(features, chances, torch.from_numpy(labels.copy()))


def scored(everything: Seen, size: int, seed: int) -> dict[str, tuple[float, float, float]]:
    """Value, low and high of every score of one draw, under both names of those that have two."""
    order = torch.randperm(len(everything.features), generator=torch.Generator().manual_seed(seed))
    samples, reference, train = (everything.part(part) for part in order[: 5 * size].split([size, size, 3 * size]))
    sets, classes = Sets(samples, reference, train, held_out=True), tuple(map(str, range(10)))
    wanted = [(METRICS, False), (("score",), True)]
    found = [row for names, official in wanted for row in rows(sets, list(names), About(classes, official), seed)]
    return {row["score"]: (row["value"], row["low"], row["high"]) for row in found}


def coverage(everything: Seen, size: int, draws: int = DRAWS) -> dict[str, float]:
    """The share of draws whose interval holds the truth, by score; scores of single classes are taken together."""
    table = [scored(everything, size, seed) for seed in range(draws)]
    held: dict[str, list[bool]] = {}
    for name in table[0]:
        found = np.array([row[name] for row in table if name in row])
        truth = 0.0 if name in DISTANCES else found[:, 0].mean()
        kind = name.partition(" of ")[0] + (" of a class" if " of " in name else "")
        held.setdefault(kind, []).extend((found[:, 1] <= truth) & (truth <= found[:, 2]))
    return {name: float(np.mean(each)) for name, each in held.items()}


def with_classes(everything: Seen, way: str) -> dict[str, float]:
    """The kernel distance of training digits from all held-out ones, by how their classes are chosen."""
    train, test = everything.part(slice(-HELD_OUT)), everything.part(slice(-HELD_OUT, None))
    labels, found = train.labels.numpy(), []
    for seed in range(REPEATED):
        rng = stream(seed, way)
        fixed = HELD_OUT if way == "shares vary" else 0
        wanted = test.labels.numpy() if way == "copied" else classes_as_in(labels, HELD_OUT, rng, fixed)
        samples = train.part(torch.from_numpy(led_by(labels, wanted, rng)[:HELD_OUT]))
        estimate = kernel_distance(samples.features, test.features)
        found.append((estimate.value, *estimate.interval(seed)))
    value, low, high = np.array(found).T
    return {
        "mean": value.mean(),
        "error": value.std() / REPEATED**0.5,
        "held": float(((low <= 0) & (high >= 0)).mean()),
    }


def run() -> dict[str, Any]:
    """Measure both sizes, and the three ways to choose classes."""
    everything = looked_at()
    return {
        "draws": DRAWS,
        "coverage": {str(size): coverage(everything, size) for size in SIZES},
        "repeated": REPEATED,
        "classes": {way: with_classes(everything, way) for way in WAYS},
    }


def table(result: dict[str, Any]) -> str:
    """A line a score."""
    sizes = list(result["coverage"])
    lines = [f"| score | {' | '.join(f'sets of {size}' for size in sizes)} |", "|---|" + "---|" * len(sizes)]
    for name in result["coverage"][sizes[0]]:
        shares = " | ".join(f"{result['coverage'][size][name]:.1%}" for size in sizes)
        lines.append(f"| {name} | {shares} |")
    lines += [
        "",
        f"| classes | kernel distance, mean of {result['repeated']} | intervals that hold 0 |",
        "|---|---|---|",
    ]
    for way, row in result["classes"].items():
        lines.append(f"| {way} | {row['mean']:.5f} ± {row['error']:.5f} | {row['held']:.0%} |")
    return "\n".join(lines)

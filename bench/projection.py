"""Projection: real pictures in the latent space of the bundled generators

Pictures held out of the set that a bundled generator learned from are projected as `danqing project` does it, one
thread, with more and more steps; processor seconds are a picture's. Beside PSNR stands the distance on MobileNetV2's
features, through which nothing here learns or searches: that of a picture to its projection, over the mean distance
of two pictures held out; 1 is as far as another picture. "Own samples" are pictures that the generator painted itself
(from other latents than the search begins with): what they lack is the search's fault, what real pictures lack beyond
that is the generator's. `characters` is a `dcgan`, the others are flows, for which a search begins where their way back
leads. A row that was measured is not measured again (`python -m bench.projection GENERATOR` is all of one).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import danqing
from bench.rows import kept, known, record, whence
from danqing.core.artefacts.latents import FoundLatents
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images, to_uint8
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.data.store import pack
from danqing.nets.backbones import FeatureNet, feature_net

SETS = {"emoji": "runs/emoji", "characters": "runs/characters", "calligraphy": "runs/characters"}
"""By the generator that learned it."""
RUNS = Path("runs/projection")
USUAL = 200  # steps
STEPS = (0, 50, USUAL, 800)
PICTURES = 6
LIKE = 64  # pictures held out whose mean distance is 1
SEED = 7  # of the generator's own samples
BY = ("generator", "of", "steps")
HELD_OUT, OWN = "held out", "own samples"


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    for name in SETS:
        measure(name)
    return so_far()


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    return {"pictures": PICTURES, "rows": known("projection", BY, _wanted(*SETS), _kept)}


def _wanted(*names: str) -> Iterator[tuple[str, str, int]]:
    """Every generator and number of steps; own samples at the usual number."""
    for name in names:
        yield from ((name, HELD_OUT, steps) for steps in STEPS)
        yield name, OWN, USUAL


def measure(name: str) -> None:
    """All rows of one generator."""
    torch.set_num_threads(1)
    missing = [each for each in _wanted(name) if not kept(_kept(*each))]
    if not missing:
        return
    net, model = feature_net("mobilenet-v2"), load(name, kind=Painter).requires_grad_(False)
    size, channels = model.config["size"], model.config["channels"]
    kind = "grey" if channels == 1 else "colour"
    held_out = np.asarray(finish(pack(SETS[name], size=size, channels=kind, split="test")).pictures)
    chosen = held_out[np.random.default_rng(0).permutation(len(held_out))[:LIKE]]
    usual = _usual(_features(net, chosen))
    rng = torch.Generator().manual_seed(SEED)
    own = model.sample(PICTURES, rng, model.labels(PICTURES, rng, None)).detach()
    pictures = {HELD_OUT: torch.from_numpy(chosen[:PICTURES]).float() / 255, OWN: own}
    for _, what, steps in missing:
        file = _kept(name, what, steps)
        file.parent.mkdir(parents=True, exist_ok=True)
        figures = _projected(model, net, pictures[what], steps, usual, file.with_suffix(".png"))
        record(file, {"generator": name, "of": what, "steps": steps, **figures})


def _kept(name: str, what: str, steps: int) -> Path:
    """Where a row is, beside its pictures."""
    return RUNS / f"{name}-{what.replace(' ', '-')}-{steps}.json"


def _projected(
    model: Painter, net: FeatureNet, pictures: Images, steps: int, usual: float, sheet: Path
) -> dict[str, float]:
    """Medians over the pictures, and the mean time of one."""
    began = time.process_time()
    found = danqing.project(pictures, model, steps=steps)
    seconds = (time.process_time() - began) / len(pictures)
    assert isinstance(found, FoundLatents)
    assert found.sheet is not None
    write(found.sheet, sheet, force=True)
    made = model.paint_codes(found.kept.tensor)
    apart = (_features(net, _bytes(pictures)) - _features(net, _bytes(made))).norm(dim=1) / usual
    return {
        "psnr": statistics.median(row["psnr"] for row in found.numbers),
        "unexplained": statistics.median(row["unexplained"] for row in found.numbers),
        "distance": float(apart.median()),
        "seconds": seconds,
    }


def _features(net: FeatureNet, pictures: NDArray[np.uint8]) -> torch.Tensor:
    return finish(net.describe(pictures, "looking"))[0]


def _bytes(x: Images) -> NDArray[np.uint8]:
    return to_uint8(x).transpose(0, 3, 1, 2)


def _usual(features: torch.Tensor) -> float:
    """The mean distance of two different pictures."""
    return float(torch.pdist(features).mean())


def table(result: dict[str, Any]) -> str:
    """A row a number of steps."""
    lines = [
        f"{result['pictures']} pictures each; medians.",
        "",
        "| generator | pictures | steps | PSNR dB | unexplained | feature distance | processor seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['generator']} | {row['of']} | {row['steps']} | {row['psnr']:.1f} | {row['unexplained']:.0%} "
            f"| {row['distance']:.2f} | {row['seconds']:.1f} |"
        )
    return "\n".join([*lines, "", *whence(result["rows"], BY)])


if __name__ == "__main__":
    measure(sys.argv[1])

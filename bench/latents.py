"""Latents: a codec against the flat vae, and flow in latents against flow in pixels, after equal processor time

Emoji and Chinese characters at 64×64, learned on one thread by default settings, in bf16 where the processor has it.
Each learns until that processor time is spent, in parts. Pictures held out are painted again: the mean peak signal-
to-noise ratio, and how far apart MobileNetV2's features of a picture and of what becomes of it are, where 1 is as far
as those of two different pictures; no codec learns through that net. Flows: the time of the flow in latents holds
that of its codec. Fréchet and kernel distance (× 1000) of samples from held-out pictures on MobileNetV2's features,
sliced Wasserstein distance (× 1000) of patches; less is better. In brackets: 95 % intervals. A run that was measured
is not run again (`python -m bench.latents SET KIND` is one).
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

import danqing
from bench.generation import patch_distance
from bench.rows import kept, known, record, whence
from bench.spending import learned_for
from danqing.core.learned.model import Model, Painter
from danqing.core.learned.painting import Autoencoder
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.data.store import Store, pack
from danqing.maths.intervals import Estimate
from danqing.maths.statistics import frechet_distance, kernel_distance
from danqing.nets.backbones import feature_net
from danqing.training.record import read_log

RUNS = Path("runs/latents")
SETS = {"emoji": "runs/emoji", "characters": "runs/characters"}
SIZE = 64
PLAIN = {"steps": 10, "solver": "euler", "dropout": 0.0, "told_augment": 0.0}  # of a flow: as it was when measured
SECONDS = {"codec": int(os.environ.get("DANQING_CODEC_SECONDS", 180)), "flow": 480}  # of one processor
SECONDS["flow"] = int(os.environ.get("DANQING_FLOW_SECONDS", SECONDS["flow"]))
FIRST = 640  # pictures learned before the pace is known
SAMPLES = 256
BY = ("set", "kind")
SHOWN = 32
CHUNK = 32


class Kind(NamedTuple):
    """What is measured: a family with its settings, and whether it learns in the latents of a codec."""

    family: str
    values: dict[str, Any]
    seconds: int
    codec: bool = False


KINDS = {
    "flat vae": Kind("vae", {"likelihood": "gaussian"}, SECONDS["codec"]),
    "codec, error alone": Kind("codec", {"perceptual": 0.0}, SECONDS["codec"]),
    "codec": Kind("codec", {}, SECONDS["codec"]),
    "codec, 8 levels": Kind("codec", {"levels": 8}, SECONDS["codec"]),
    "flow in pixels": Kind("flow", PLAIN, SECONDS["flow"]),
    "flow in latents": Kind("flow", PLAIN, SECONDS["flow"] - SECONDS["codec"], codec=True),
}


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"samples": SAMPLES, "rows": [measured(name, kind) for name in SETS for kind in KINDS]}


def so_far() -> dict[str, Any]:
    """What was measured, without measuring what was not."""
    wanted = [(name, kind) for name in SETS for kind in KINDS]
    return {"samples": SAMPLES, "rows": known("latents", BY, wanted, _kept)}


def measured(name: str, kind: str) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    folder, file = _folder(name, kind), _kept(name, kind)
    if row := kept(file):
        return row
    spec = KINDS[kind]
    took = learned_for(spec.seconds, folder, partial(_begun, name, kind), FIRST)[-1]["seconds"]
    model = load(str(folder), kind=Painter if spec.family == "flow" else Autoencoder)  # type: ignore[type-abstract]
    entries = list(read_log(folder / "log.jsonl"))
    row = {
        "set": name,
        "kind": kind,
        "seen": entries[-1]["seen"],
        "seconds": took,
        "pictures_a_second": entries[-1]["seen"] / took,
        "alarms": sorted({entry["event"] for entry in entries if "event" in entry}),
        **(painted(model, name, folder) if isinstance(model, Painter) and spec.family == "flow" else {}),
        **(painted_again(model, name, folder) if isinstance(model, Autoencoder) else {}),
    }
    return record(file, row)


def painted_again(model: Autoencoder, name: str, folder: Path) -> dict[str, Any]:
    """How well held-out pictures are painted again."""
    x = pictures_of(packed(SETS[name], "test", model))
    with torch.no_grad():
        again = torch.cat([model.reconstruct(part) for part in x.split(CHUNK)])
    write(contact_sheet(torch.stack([x[:SHOWN], again[:SHOWN]], 1).flatten(0, 1), 8), folder / "again.png", force=True)
    psnr = -10 * (again - x).square().flatten(1).mean(1).log10()
    real, made = _features(x), _features(again)
    other = torch.pdist(real).mean()
    return {"psnr": _interval(psnr), "unlike": _interval((real - made).norm(dim=1) / other)}


def painted(model: Painter, name: str, folder: Path) -> dict[str, Any]:
    """How samples compare with held-out pictures."""
    learned = packed(SETS[name], "train", model)
    rng = torch.Generator().manual_seed(0)
    label = torch.from_numpy(np.asarray(learned.labels))[torch.randint(len(learned), (SAMPLES,), generator=rng)]
    began = time.process_time()
    with torch.no_grad():
        samples = torch.cat([model.sample(CHUNK, rng, part) for part in label.split(CHUNK)])
    took = (time.process_time() - began) / SAMPLES
    write(contact_sheet(samples[:SHOWN], 8), folder / "samples.png", force=True)
    reference = pictures_of(packed(SETS[name], "test", model))
    ours, theirs = _features(samples), _features(reference)
    return {
        "ms_a_sample": 1000 * took,
        "frechet": estimated(frechet_distance(ours, theirs)),
        "kernel": estimated(kernel_distance(ours, theirs)),
        "patches": patch_distance(samples, reference),
    }


def table(result: dict[str, Any]) -> str:
    """A line a model."""
    rows = result["rows"]
    return "\n".join([*_again(rows), "", *_samples(rows, result["samples"]), "", *whence(rows, BY)])


def _again(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| painted again | model | processor s | pictures seen | a second | PSNR, dB | unlike |"
    yield "|---" * 7 + "|"
    for row in rows:
        if "psnr" in row:
            yield _line(row, _figure(row["psnr"], 1, 2), _figure(row["unlike"], 1, 3))


def _samples(rows: list[dict[str, Any]], count: int) -> Iterator[str]:
    yield "| painted | model | processor s | pictures seen | a second | ms a sample | Fréchet | kernel | patches |"
    yield "|---" * 9 + "|"
    for row in rows:
        if "frechet" in row:
            figures = [_figure(row["frechet"], 1, 2), _figure(row["kernel"], 1000, 0), _figure(row["patches"], 1000, 1)]
            yield _line(row, f"{row['ms_a_sample']:.0f}", *figures)
    yield f"\n{count} samples. Seconds of a flow in latents are its own; its codec's stand above."


def _line(row: dict[str, Any], *figures: str) -> str:
    seen = [f"{row['seconds']:.0f}", f"{row['seen']:,}", f"{row['pictures_a_second']:.0f}"]
    return "| " + " | ".join([row["set"], row["kind"], *seen, *figures]) + " |"


def _figure(row: dict[str, float], times: int, digits: int) -> str:
    return "{} [{}, {}]".format(*(f"{row[each] * times:.{digits}f}" for each in ("value", "low", "high")))


def estimated(found: Estimate) -> dict[str, float]:
    low, high = found.interval()
    return {"value": found.value, "low": low, "high": high}


def _interval(values: Tensor) -> dict[str, float]:
    """A mean, and where it lies for other pictures of the kind, 95 of 100 times."""
    mean, reach = float(values.mean()), 1.96 * float(values.std()) / len(values) ** 0.5
    return {"value": mean, "low": mean - reach, "high": mean + reach}


def _begun(name: str, kind: str, budget: str) -> None:
    """Begin a run."""
    spec = KINDS[kind]
    codec = {"codec": str(_folder(name, "codec"))} if spec.codec else {}
    values = {**spec.values, **codec, "size": SIZE, "threads": 1, "doctor": "watch", "every": "25%"}
    danqing.train(spec.family, SETS[name], budget=budget, out=_folder(name, kind), **values)


def _kept(name: str, kind: str) -> Path:
    """Where the figures of a run are, beside it."""
    return _folder(name, kind) / "measured.json"


def _folder(name: str, kind: str) -> Path:
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{kind}-{KINDS[kind].seconds}")


def packed(data: str, split: Literal["train", "test"], model: Model) -> Store:
    colour: Literal["grey", "colour"] = "grey" if model.config["channels"] == 1 else "colour"
    return finish(pack(data, size=SIZE, channels=colour, split=split))


def pictures_of(store: Store) -> Images:
    return torch.from_numpy(np.array(store.pictures)).float() / 255


def _features(x: Images) -> Tensor:
    return feature_net("mobilenet-v2")(x)


if __name__ == "__main__":
    measured(sys.argv[1], sys.argv[2])

"""Generation: families against each other at 64×64, after equal processor time

Emoji (nine groups) and Chinese characters (three hands), learned on one thread, the doctor only watching. "dcgan, free
doublings" is the `dcgan` of before: transposed convolutions whose kernels are free, and a rate that fell with the
number of pixels; the others are what the command line gives. A "flow in latents" spends a quarter of its time on the
codec. Each learns for as many pictures as it sees in that processor time, which its first twentieth tells; what it took
in the end stands beside. Distances are those of samples from held-out pictures: Fréchet and kernel distance (× 1000)
on MobileNetV2's features, through which nothing here learns; sliced Wasserstein distance (× 1000) of 7×7 patches of
pixels at three scales; less is better. In brackets: 95 % intervals, of the patches that of the mean over groups of
samples. "Real" are training pictures in place of samples. Copies are samples nearer to a training picture than its
nearest fellow is. A run that was measured is not run again; one that was stopped goes on (`python -m bench.generation
SET FAMILY MINUTES` is one run; `python -m bench.generation blind FOLDER MODEL MODEL` writes pairs of grids to choose
from, and their key).
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import danqing
from bench.rows import PROCESSOR, kept, known, record, whence
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.data.store import pack
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.record import read_log

RUNS = Path("runs/generation")
SETS = {"emoji": "runs/emoji", "characters": "runs/characters"}
FORMER = "dcgan, free doublings"
IN_LATENTS, CODEC = "flow in latents", "codec"
FAMILIES: Mapping[str, tuple[str, dict[str, Any]]] = {
    FORMER: ("dcgan", {"doubling": "free", "lr": 2e-3 * (28 / 64) ** 2}),
    "dcgan": ("dcgan", {}),
    "stylegan": ("stylegan", {}),
    "flow": ("flow", {"every": "25%"}),  # its looks take long
    IN_LATENTS: ("flow", {"every": "25%"}),
    "vae": ("vae", {}),
}
LEARNED = {**FAMILIES, CODEC: (CODEC, {"every": "25%"})}  # what paints, and what a flow paints in
BY = ("set", "family", "budget")
MINUTES = (15, 60)  # of one processor
CODECS_SHARE = 0.25  # of the time of a flow in latents
PROBED = 0.05  # of the time, after which a run tells what it can see in all of it
ENDLESS = 1e9  # pictures: a budget that no run comes to an end of
SAMPLES = 1_024
PATCH, PATCHES, DIRECTIONS, SCALES = 7, 32, 256, 3
GROUPS = 8
"""Groups of samples whose distances tell how sure their mean is."""


def run() -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"samples": SAMPLES, "rows": [measured(*each) for each in _all()]}


def so_far() -> dict[str, Any]:
    """What was measured, here or before, without measuring what was not."""
    return {"samples": SAMPLES, "rows": known("generation", BY, _all(), _kept)}


def _all() -> list[tuple[str, str, int]]:
    return [(name, family, minutes) for minutes in MINUTES for name in SETS for family in FAMILIES]


def measured(name: str, family: str, minutes: int) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    file = _kept(name, family, minutes)
    folder = file.parent
    if row := kept(file):
        return row
    spent, more = codec_for(name, minutes) if family == IN_LATENTS else (0.0, {})
    model, took = learned(name, family, minutes - spent, folder, **more)
    entries = list(read_log(folder / "log.jsonl"))
    row = {
        "set": name,
        "family": family,
        "budget": minutes,
        "seen": entries[-1]["seen"],
        "minutes": took + spent,
        "alarms": sorted({each["event"] for each in entries if "event" in each}),
        **scored(model, SETS[name]),
    }
    return record(file, row)


def codec_for(name: str, minutes: int) -> tuple[float, dict[str, str]]:
    """The minutes that the codec of a flow took, and where it is."""
    file = _kept(name, CODEC, minutes)
    row = kept(file)
    if row is None:
        _, took = learned(name, CODEC, CODECS_SHARE * minutes, file.parent)
        row = record(file, {"minutes": took})
    return row["minutes"], {"codec": str(file.parent)}


def learned(name: str, family: str, minutes: float, folder: Path, **more: Any) -> tuple[Path, float]:
    """A model that learned for so long, and the minutes that it took; if it was stopped in between, at its pace."""
    file, began = folder / "pace.json", time.process_time()
    stopped = file.exists()
    if not stopped:
        seconds = 60 * PROBED * minutes
        file.write_text(json.dumps({"seconds a picture": begun(name, family, seconds, folder, **more)}), "utf-8")
    pace = json.loads(file.read_text("utf-8"))["seconds a picture"]
    model = finish(resume(folder, budget=f"{60 * minutes / pace:.0f}pictures")).model
    seen = list(read_log(folder / "log.jsonl"))[-1]["seen"]
    return model, (seen * pace if stopped else time.process_time() - began) / 60


def begun(name: str, family: str, seconds: float, folder: Path, **more: Any) -> float:
    """Begin a run as if it had no end, stop it after so much processor time, and say what a picture takes."""
    kind, values = LEARNED[family]
    values = {
        **values,
        "size": 64,
        "threads": 1,
        "doctor": "watch",
        "out": folder,
        "budget": f"{ENDLESS:.0f}pictures",
        **more,
    }
    job = train(TrainConfig.make(kind, SETS[name], **values), force=True)
    first, began = next((each.done, time.process_time()) for each in job if "kimg" in each.words)
    seen, spent = next((each.done, took) for each in job if (took := time.process_time() - began) > seconds)
    job.close()
    return spent / (ENDLESS * (seen - first))


def _kept(name: str, family: str, minutes: int) -> Path:
    """Where the figures of a run are, beside its model."""
    return RUNS / re.sub(r"[^\w]+", "-", f"{name}-{family}-{minutes}") / "measured.json"


def scored(model: Path, data: str, count: int = SAMPLES) -> dict[str, Any]:
    """What so many samples score against real pictures that were held out."""
    metrics = "frechet,kernel,precision,neighbours"
    painter = load(str(model), kind=Painter)
    found = danqing.evaluate(painter, data, count=count, features="mobilenet-v2", metrics=metrics)
    names = ("frechet_distance", "kernel_distance", "precision", "recall", "coverage", "copied_share")
    rows = {row["score"]: row for row in found.numbers}
    numbers = {each: {key: rows[each][key] for key in ("value", "low", "high", "real")} for each in names}
    colour: Literal["grey", "colour"] = "grey" if painter.config["channels"] == 1 else "colour"
    learned, held_out = (finish(pack(data, size=64, channels=colour, split=split)) for split in ("train", "test"))
    rng = torch.Generator().manual_seed(0)
    labels = [None] * (count // 64)
    if painter.config["classes"]:
        chosen = torch.randint(len(learned), (count,), generator=rng)
        labels = torch.from_numpy(np.asarray(learned.labels))[chosen].split(64)
    with torch.no_grad():
        samples = torch.cat([painter.sample(64, rng, each) for each in labels])
    reference = torch.from_numpy(np.array(held_out.pictures)).float() / 255
    others = np.random.default_rng(0).permutation(len(learned))[:count]
    rival = torch.from_numpy(np.array(learned.pictures[others])).float() / 255
    numbers["patches"] = {**patch_distance(samples, reference), "real": patch_distance(rival, reference)["value"]}
    return numbers


def patch_distance(samples: Tensor, reference: Tensor) -> dict[str, float]:
    """Sliced Wasserstein distance of patches at three scales, as a mean over groups of samples, and its interval.

    Source: Karras et al. 2018 (progressive growing), section 5, without the Laplacian pyramid and its normalisation.
    """
    rng = torch.Generator().manual_seed(0)
    directions = functional.normalize(torch.randn(samples.shape[1] * PATCH**2, DIRECTIONS, generator=rng), dim=0)
    distances = torch.zeros(GROUPS)
    for _ in range(SCALES):  # at places that all pictures share: what is where counts, too
        places = [torch.randint(side - PATCH + 1, (PATCHES,), generator=rng).tolist() for side in samples.shape[-2:]]
        theirs = _quantiles(_patches(reference, *places) @ directions)
        for at, part in enumerate(samples.tensor_split(GROUPS)):
            ours = _quantiles(_patches(part, *places) @ directions)
            distances[at] += (ours - theirs).abs().mean() / SCALES
        samples, reference = functional.avg_pool2d(samples, 2), functional.avg_pool2d(reference, 2)
    values = distances.tolist()
    reach = 2.365 * stdev(values) / len(values) ** 0.5  # Student's, seven degrees of freedom
    return {"value": mean(values), "low": mean(values) - reach, "high": mean(values) + reach}


def _patches(x: Tensor, rows: list[int], columns: list[int]) -> Tensor:
    """Patches (N, C·7·7) of pictures, at these places of each."""
    return torch.cat([x[..., r : r + PATCH, c : c + PATCH].flatten(1) for r, c in zip(rows, columns, strict=True)])


def _quantiles(values: Tensor, count: int = 512) -> Tensor:
    """So many quantiles of each column."""
    ordered = values.sort(0).values
    at = ((torch.arange(count) + 0.5) / count * len(ordered)).long()
    return ordered[at]


COLUMNS = {
    "frechet_distance": ("Fréchet", 1, 2),
    "kernel_distance": ("kernel", 1000, 0),
    "patches": ("patches", 1000, 1),
    "precision": ("precision", 1, 2),
    "recall": ("recall", 1, 2),
    "coverage": ("coverage", 1, 2),
    "copied_share": ("copies", 1, 3),
}


def table(result: dict[str, Any]) -> str:
    """A line a family, and what real pictures score."""
    heads = [head for head, _, _ in COLUMNS.values()]
    lines = [f"{result['samples']:,} samples.", ""]
    lines += [
        "| set | budget, min | family | pictures seen | minutes | " + " | ".join(heads) + " | alarms |",
        "|---" * (len(heads) + 6) + "|",
    ]
    for name in SETS:
        rows = [row for row in result["rows"] if row["set"] == name]
        for row in rows:
            figures = [figure(row[key], times, digits) for key, (_, times, digits) in COLUMNS.items()]
            took = rounded(row["minutes"], 1, 1)
            cells = [name, str(row["budget"]), row["family"], f"{row['seen']:,}", took, *figures]
            lines.append("| " + " | ".join([*cells, ", ".join(row["alarms"]) or "–"]) + " |")
        real = [rounded(rows[0][key]["real"], times, digits) for key, (_, times, digits) in COLUMNS.items()]
        lines.append("| " + " | ".join([name, "–", "real", "–", "–", *real, "–"]) + " |")
    shares = [
        f"- after {minutes} minutes: {words}"
        for minutes in MINUTES
        for words in ratios([row for row in result["rows"] if row["budget"] == minutes])
    ]
    left = len(_all()) - len(result["rows"])
    notes = [*whence(result["rows"], BY), *([f"- {left} runs are not measured yet"] if left else [])]
    return "\n".join([*lines, "", *shares, *notes])


def ratios(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What share of the distances of each ``dcgan`` the other families have, on the same set and processor."""
    lines = []
    for row, other in itertools.permutations(rows, 2):
        alike = all(row[key] == other[key] for key in ("set", PROCESSOR))
        if alike and other["family"] in ("dcgan", FORMER) and row["family"] != FORMER:
            shares = [
                f"{COLUMNS[key][0]} {row[key]['value'] / other[key]['value']:.2f}"
                for key in ("frechet_distance", "kernel_distance", "patches")
            ]
            lines.append(f"{row['set']}, {row['family']} against {other['family']}: {', '.join(shares)} times")
    return sorted(lines)


def figure(row: Mapping[str, float], times: int, digits: int) -> str:
    """A value and its interval."""
    value, low, high = (rounded(row[key], times, digits) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def rounded(value: float | None, times: int, digits: int) -> str:
    return "–" if value is None else f"{value * times:.{digits}f}"


def blind(folder: Path, models: tuple[str, str], pairs: int = 10) -> None:
    """Write pairs of grids of two models, left and right by chance, and which was which into a file of its own.

    Whoever chooses has not seen the key, and says of each pair which side they would rather keep.
    """
    rng = np.random.default_rng(0)
    key: dict[str, str] = {}
    for at in range(pairs):
        grids = []
        for model in models:
            painted = danqing.generate(load(model, kind=Painter), count=24, seed=100 + at)
            grids.append(contact_sheet(painted, 6, 4))
        turned = bool(rng.integers(2))
        left, right = grids[::-1] if turned else grids
        gap = left.new_ones(*left.shape[:3], 24)
        write(torch.cat([left, gap, right], 3), folder / f"{at:02}.png", force=True)
        key[f"{at:02}"] = f"left: {models[turned]}"
    (folder / "key.json").write_text(json.dumps(key, indent=1), "utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "blind":
        blind(Path(sys.argv[2]), (sys.argv[3], sys.argv[4]))
    else:
        measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))

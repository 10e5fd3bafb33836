"""A projected critic beside that of pixels, after equal processor time

`dcgan` at 64×64 as it is, and with `--projected`: a second critic, which sees pictures through a frozen
EfficientNet-Lite0. One thread, bf16 where the processor has it, the doctor only watching, one seed. Each learns for as
many pictures as it sees in that processor time, which a few steps told, taken in turns. Distances are those of the
bench of generation: on MobileNetV2's features, through which nothing here learns, and on patches of pixels. "Tints" is
how far the samples' mean colours are spread, against those of pictures held out. A run that was measured is not run
again, one that was stopped goes on (`python -m bench.projected SET WAY SECONDS` is one run).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import danqing
from bench.generation import COLUMNS, SETS, figure, rounded, scored
from bench.rows import kept, record
from danqing.core.learned.manner import computes_bf16
from danqing.core.learned.model import Painter, Samples
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.data.store import Store, pack
from danqing.maths.tints import spread_of_tints
from danqing.training.build import new_model, settings_of
from danqing.training.config import TrainConfig
from danqing.training.loop import resume
from danqing.training.machine import to_machine
from danqing.training.record import CONFIG, read_log
from danqing.training.setup import without_labels
from danqing.training.step import Stepper

RUNS = Path("runs/projected")
WAYS: Mapping[str, dict[str, Any]] = {"pixels": {}, "pixels + projected": {"projected": 1.0}}
SECONDS = 240  # of one processor
SIDE = 64
TURNS = 2  # of steps whose least time counts
SAMPLES = 256  # whose colours are compared


def run(seconds: int = SECONDS) -> dict[str, Any]:
    """Measure what was not measured yet."""
    return {"seconds": seconds, "rows": [measured(name, way, seconds) for name in SETS for way in WAYS]}


def measured(name: str, way: str, seconds: int) -> dict[str, Any]:
    """One run of one set, or what is kept of it."""
    folder = RUNS / re.sub(r"[^\w]+", "-", f"{name}-{way}-{seconds}")
    file = folder / "measured.json"
    if found := kept(file):
        return found
    pace = known_paces(name)[way]
    values = {"budget": f"{round(pace * seconds)}pictures", **WAYS[way]}
    return record(
        file, {"set": name, "way": way, "pace": pace, **judged(trained("dcgan", name, folder, **values), name)}
    )


def trained(family: str, name: str, folder: Path, **values: Any) -> Path:
    """Learn a set on one thread."""
    if (folder / CONFIG).exists():
        return finish(resume(folder)).model
    usual = {"size": SIDE, "threads": 1, "doctor": "watch", "precision": precision(), "every": "25%"}
    return Path(danqing.train(family, SETS[name], **{**usual, **values}, out=folder).model)


def precision() -> str:
    """That of all runs here: what is faster is not asked anew."""
    return "bf16" if computes_bf16("cpu") else "fp32"


def judged(model: Path, name: str) -> dict[str, Any]:
    """Distances, the spread of tints against real pictures', and a sheet of samples beside the run."""
    painter = load(str(model), kind=Painter)
    entries = list(read_log(model.parent / "log.jsonl"))
    with torch.no_grad():
        painted = painter.sample(SAMPLES, torch.Generator().manual_seed(1))
    write(contact_sheet(painted[:64], 16), model.parent / "samples.png", force=True)
    real = torch.from_numpy(np.array(_store(name, SIDE, "test").pictures[:SAMPLES])).float() / 255
    tints = spread_of_tints(painted) / spread_of_tints(real) if painted.shape[1] == 3 else None
    alarms = sorted({each["event"] for each in entries if "event" in each})
    return {"seen": entries[-1]["seen"], "alarms": alarms, "tints": tints, **scored(model, SETS[name])}


def known_paces(name: str) -> dict[str, float]:
    """Pictures learned from in a processor second by each way."""
    configs = {way: TrainConfig.make("dcgan", SETS[name], size=SIDE, **values) for way, values in WAYS.items()}
    return paces(configs, name, RUNS / f"paces-{name}.json")


def paces(configs: Mapping[str, TrainConfig], name: str, file: Path) -> dict[str, float]:
    """Pictures learned from in a processor second, from steps that take turns; the least time of each counts.

    What was measured is kept in a file.
    """
    if file.exists():
        return dict(json.loads(file.read_text("utf-8")))
    torch.set_num_threads(1)
    ready = {way: _ready(config, name) for way, config in configs.items()}
    rng, least = torch.Generator().manual_seed(0), dict.fromkeys(ready, float("inf"))
    for turn in range(TURNS + 1):
        for way, (stepper, batch) in ready.items():
            began = time.process_time()
            for _ in range(4):  # one of which has a penalty on slopes
                stepper.step(batch, rng)
            spent = time.process_time() - began
            least[way] = min(least[way], spent if turn else float("inf"))
    found = {way: 4 * len(batch.x) / least[way] for way, (_, batch) in ready.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1), "utf-8")
    return found


def _ready(config: TrainConfig, name: str) -> tuple[Stepper, Samples]:
    store = _store(name, config.side, "train")
    model = to_machine(new_model(config, store), "cpu").train()
    batch = without_labels(next(store.batches(model.batch_size, 0)).moved_to("cpu"), model)
    return Stepper(model, settings_of(config, model), precision()), batch


def _store(name: str, side: int, split: str) -> Store:
    return finish(pack(SETS[name], size=side, channels="auto", split=split))


def table(result: dict[str, Any]) -> str:
    """A line a way, and what real pictures score."""
    shown = {key: COLUMNS[key] for key in ("frechet_distance", "kernel_distance", "patches", "precision", "coverage")}
    heads = ["set", "critics", "pictures a second", "seen", *(head for head, _, _ in shown.values()), "tints", "alarms"]
    lines = [f"{result['seconds']:.0f} processor seconds.", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in result["rows"]:
        figures = [figure(row[key], times, digits) for key, (_, times, digits) in shown.items()]
        ends = [rounded(row["tints"], 1, 2), ", ".join(row["alarms"]) or "–"]
        cells = [row["set"], row["way"], f"{row['pace']:.0f}", f"{row['seen']:,}", *figures, *ends]
        lines.append(f"| {' | '.join(cells)} |")
    for name in dict.fromkeys(row["set"] for row in result["rows"]):
        row = next(row for row in result["rows"] if row["set"] == name)
        real = [rounded(row[key]["real"], times, digits) for key, (_, times, digits) in shown.items()]
        lines.append(f"| {' | '.join([name, 'real', '–', '–', *real, '1', '–'])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    measured(sys.argv[1], sys.argv[2], int(sys.argv[3]))

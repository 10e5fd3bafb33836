"""Peers: other programs that learn to paint, after equal processor time

Emoji at 64×64, one thread. Every program learns for as many processor seconds, counted over its steps alone (not its
import, nor what it looks at between), and paints as many samples; all samples are scored alike: Fréchet and kernel
distance (× 1000) on MobileNetV2's features, through which nothing here learns, and sliced Wasserstein distance (× 1000)
of patches of pixels, as in "Generation", to pictures held out; in brackets 95 % intervals; less is better. "Real" are
training pictures in place of samples. danqing's families are as the command line gives them, with a budget in pictures
from a short trial of their pace. Peers run in environments of their own that this program makes: `pythae` as it is (its
RAE with its own net for 64×64 faces, README's learning rate), and once more in bf16, which it does not ask for on a
processor; `denoising-diffusion-pytorch` with README's net and with a smaller one, in bf16 and channels-last, at a
higher rate and without averaged weights, all of which its trainer would not do, so that it gets further in so short a
time. What is in the column "standing in" was put in place of a package that it imports and does not need here. Programs
that refuse to be imported are quoted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.generation import SETS, patch_distance
from bench.generator_throughput import kit_of, lazy, round_of, seconds_of
from bench.rows import kept, record
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import from_uint8, to_uint8
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import write
from danqing.core.progress import Job, finish
from danqing.data.store import Store, pack
from danqing.maths.scores import About, Seen, Sets, rows
from danqing.nets.backbones import feature_net
from danqing.training.config import TrainConfig
from danqing.training.loop import train
from danqing.training.training import RunResult

HERE = Path(__file__).parent
RUNS = Path("runs/peers")
PROGRAM = HERE / "peer_generators.py"
SECONDS = 90.0  # of one processor
SHORT = 20.0  # where only the pace is of interest
SAMPLES = 256
FAMILIES = ("dcgan", "stylegan", "vae", "flow")
PYTHAE, DIFFUSION = "pythae==0.1.2", "denoising-diffusion-pytorch==2.3.4"
PEERS = {  # what it is called, what it needs, and whether it paints samples
    "pythae": (PYTHAE, True),
    "denoising-diffusion-pytorch, small net": (DIFFUSION, True),
    "pythae, bf16": (PYTHAE, False),
    "denoising-diffusion-pytorch, README's net": (DIFFUSION, False),
}
REFUSING = {"lightweight_gan": "lightweight-gan==1.2.1", "stylegan2_pytorch": "stylegan2-pytorch==1.9.0"}


def run(seconds: float = SECONDS) -> dict[str, Any]:
    """Measure what was not measured yet."""
    torch.set_num_threads(1)
    names = [*(f"danqing {family}" for family in FAMILIES), *PEERS]
    found = [measured(name, seconds) for name in names]
    return {"seconds": seconds, "samples": SAMPLES, "rows": found, "refusals": [refusal(name) for name in REFUSING]}


def measured(name: str, seconds: float) -> dict[str, Any]:
    """One program's figures, measured or remembered."""
    stem = f"{name}-{seconds:g}".replace(" ", "-").replace(",", "").replace("'", "")
    file, samples = RUNS / f"{stem}.json", RUNS / f"{stem}.npy"
    if row := kept(file):
        return row
    RUNS.mkdir(parents=True, exist_ok=True)
    mine = name.removeprefix("danqing ")
    found = ours(mine, seconds, samples) if mine != name else theirs(name, seconds, samples)
    if samples.exists():
        found = {**found, **scored(np.load(samples))}
        sheet = contact_sheet(from_uint8(np.load(samples)[:32].transpose(0, 2, 3, 1)), 8, 4)
        write(sheet, samples.with_suffix(".png"), force=True)
    return record(file, {"name": name, **found})


def ours(family: str, seconds: float, samples: Path) -> dict[str, Any]:
    """A run of danqing's own loop; only its steps are clocked."""
    budget = round(pace(family) * seconds)
    out = samples.with_suffix("")
    config = TrainConfig.make(
        family, SETS["emoji"], size=64, threads=1, doctor="watch", budget=f"{budget}pictures", every="100%", out=out
    )
    model, used, steps = clocked(train(config, force=True))
    painter = load(str(model), kind=Painter)
    learned = pictures("train")
    rng = torch.Generator().manual_seed(0)
    label = torch.from_numpy(np.asarray(learned.labels))[torch.randint(len(learned), (SAMPLES,), generator=rng)]
    began = time.process_time()
    with torch.no_grad():
        painted = torch.cat([painter.sample(64, rng, label[at : at + 64]) for at in range(0, SAMPLES, 64)])
    sampling = (time.process_time() - began) / SAMPLES
    np.save(samples, to_uint8(painted).transpose(0, 3, 1, 2))
    seen = steps * painter.batch_size
    return {"seen": seen, "seconds": used, "rate": seen / used, "sampling": sampling}


def clocked(job: Job[RunResult]) -> tuple[Path, float, int]:
    """Run to the end: the model, the processor seconds of the steps that were no looks, and how many these were."""
    used, steps, begun = 0.0, 0, False
    while True:
        began = time.process_time()
        try:
            progress = next(job)
        except StopIteration as end:
            return Path(end.value.model), used, steps
        if begun and progress.preview is None:
            used, steps = used + time.process_time() - began, steps + 1
        begun = begun or progress.preview is not None  # the untrained model is looked at when all is ready


def pace(family: str) -> float:
    """Pictures that steps see in a processor second, from two rounds after one that is not counted."""
    kit = kit_of(family, 64)
    turn = round_of(kit)
    turn()
    return 2 * lazy(kit) * kit.together / sum(seconds_of(turn) for _ in range(2))


def theirs(name: str, seconds: float, samples: Path) -> dict[str, Any]:
    """A peer in its own environment."""
    package, paints = PEERS[name]
    source = RUNS / "pictures.npy"
    if not source.exists():
        np.save(source, np.asarray(pictures("train").pictures))
    count, limit = (SAMPLES, seconds) if paints else (0, SHORT)
    return said(package, name, str(source), str(samples), str(limit), str(count))


def refusal(module: str) -> dict[str, Any]:
    """What a package says instead of being imported."""
    return {"module": module, **said(REFUSING[module], "import", module)}


def said(package: str, *words: str) -> dict[str, Any]:
    """The last line that the peers' program prints in an environment with a package, made when it is not there."""
    folder = HERE / ".envs" / package.partition("==")[0]
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        torch_here = f"torch=={torch.__version__.partition('+')[0]}"
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", torch_here, package], check=True)
    done = subprocess.run([str(python), str(PROGRAM), *words], check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def pictures(split: str) -> Store:
    """The set."""
    return finish(pack(SETS["emoji"], size=64, channels="colour", split=split))


def scored(samples: NDArray[np.uint8]) -> dict[str, Any]:
    """Distances of samples (N, 3, 64, 64), and of as many training pictures, to the pictures held out."""
    net = feature_net("mobilenet-v2")
    learned, held_out = np.asarray(pictures("train").pictures), np.asarray(pictures("test").pictures)
    rival = learned[np.random.default_rng(0).permutation(len(learned))[: len(samples)]]
    seen = [Seen(*finish(net.describe(each, "looking"))) for each in (samples, held_out, rival)]
    found = rows(Sets(*seen, held_out=True), ["frechet", "kernel"], About(), 0)
    numbers = {each["score"]: {key: each[key] for key in ("value", "low", "high", "real")} for each in found}
    ours, real, other = (torch.from_numpy(np.array(each)).float() / 255 for each in (samples, held_out, rival))
    return {**numbers, "patches": {**patch_distance(ours, real), "real": patch_distance(other, real)["value"]}}


COLUMNS = {
    "frechet_distance": ("Fréchet", 1, 2),
    "kernel_distance": ("kernel", 1000, 0),
    "patches": ("patches", 1000, 1),
}


def table(result: dict[str, Any]) -> str:
    """A row a program, the ratios, and who refuses."""
    heads = " | ".join(head for head, _, _ in COLUMNS.values())
    lines = [
        f"{result['seconds']:g} processor seconds of steps, {result['samples']} samples.",
        "",
        f"| program | pictures seen | pictures a second | {heads} | seconds a sample | standing in |",
        "|---" * (6 + len(COLUMNS) - 1) + "|",
    ]
    for row in result["rows"]:
        cells = [_figure(row.get(key), times, digits) for key, (_, times, digits) in COLUMNS.items()]
        sampling = f"{row['sampling']:.3f}" if "sampling" in row else "–"
        stubbed = "torchvision" if row.get("stubbed") else "–"
        version = f" {row['version']}" if "version" in row else ""
        told = [row["name"] + version, f"{row['seen']:,}", f"{row['rate']:.1f}", *cells, sampling, stubbed]
        lines.append("| " + " | ".join(told) + " |")
    first = next(row for row in result["rows"] if "patches" in row)
    real = [f"{first[key]['real'] * times:.{digits}f}" for key, (_, times, digits) in COLUMNS.items()]
    lines += ["| " + " | ".join(["real", "–", "–", *real, "–", "–"]) + " |", "", *_ratios(result["rows"]), ""]
    missing = {row["stubbed"] for row in result["rows"] if row.get("stubbed")}
    lines += [f"- torchvision, as pip brought it beside this PyTorch, said: “{each}”" for each in sorted(missing)]
    for each in result["refusals"]:
        lines.append(f"- `{each['module']}` {each['version']}, imported without CUDA, says: “{each['says']}”")
    return "\n".join(lines)


def _ratios(rows: list[dict[str, Any]]) -> list[str]:
    """How many times as many pictures danqing's families see as the quickest peer."""
    quickest = max((row for row in rows if not row["name"].startswith("danqing")), key=lambda row: row["rate"])
    mine = [row for row in rows if row["name"].startswith("danqing")]
    told = ", ".join(f"{row['name'].removeprefix('danqing ')} {row['rate'] / quickest['rate']:.1f}" for row in mine)
    return [f"Pictures a second, times those of the quickest peer ({quickest['name']}): {told}."]


def _figure(row: dict[str, float] | None, times: int, digits: int) -> str:
    if row is None:
        return "–"
    value, low, high = (f"{row[key] * times:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    torch.set_num_threads(1)
    measured(sys.argv[1], float(sys.argv[2]))

"""Training throughput

The 28×28 DCGAN of the field's tutorials (the same layers, batch 128, dropout included) trained by danqing's own loop on
the built-in digits, against the same nets as a compiled Keras/TensorFlow program in its own environment. The two run in
turn on the same machine, one process at a time with all its cores; the ratio is the median of the ratios of neighbours.
Steps a second are measured after a warm-up; processor seconds add all threads, and a busy machine moves them less.
danqing chooses its precision itself; then fp32 and, where the processor has it, bf16 are forced, in turn. The
operations of a step are counted as plain convolutions and products need them, so that the share of the peak (products
of matrices of 2048×2048 in the same precision, with the same threads) counts what few multiplications save, too. Before
steps were made anew for such processors, the ratio was 1.13 on one with bf16, and 2.24 on one without.
"""

from __future__ import annotations

import inspect
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from danqing.data.digits import digits

if TYPE_CHECKING:
    import torch

HERE = Path(__file__).parent
KERAS = HERE / ".envs" / "keras"
PAIRS = 5
FORCED = 3  # rounds
SIDE = 2048  # of the matrices whose products are the peak
SECONDS = 20.0
WARM_UP = 8
PINNED = "tensorflow-cpu==2.21.0"


def run() -> dict[str, Any]:
    """Alternate the two programs."""
    python = _environment()
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "digits.npy")
        np.save(file, digits("train")[0])
        for number in range(PAIRS):
            ours = _figures(sys.executable, "-m", "bench.throughput", str(Path(folder, str(number))))
            theirs = _figures(str(python), str(HERE / "keras_dcgan.py"), str(file), str(SECONDS))
            pairs.append({"danqing": ours, "keras": theirs})
            print(json.dumps(pairs[-1]), flush=True)
        forced = _forced(Path(folder))
    return {
        "forced": forced,
        "operations": operations(),
        "pairs": pairs,
        "steps_per_second": {who: _median(pairs, who, "steps_per_second") for who in ("danqing", "keras")},
        "cpu_seconds_per_step": {who: _median(pairs, who, "cpu_seconds_per_step") for who in ("danqing", "keras")},
        "ratio": statistics.median(p["danqing"]["steps_per_second"] / p["keras"]["steps_per_second"] for p in pairs),
        "cpu_ratio": statistics.median(
            p["keras"]["cpu_seconds_per_step"] / p["danqing"]["cpu_seconds_per_step"] for p in pairs
        ),
        "precision": pairs[0]["danqing"]["precision"],
        "tensorflow": pairs[0]["keras"]["tensorflow"],
    }


def table(result: dict[str, Any]) -> str:
    """Both programs, and how they compare."""
    lines = [
        f"danqing trains **{result['ratio']:.2f} times** as fast (median of {len(result['pairs'])} pairs; "
        f"{result['cpu_ratio']:.2f} times in processor time).",
        "",
        "| program | steps a second | processor seconds a step |",
        "|---|---|---|",
    ]
    words = {"danqing": f"danqing, {result['precision']}", "keras": f"Keras, TensorFlow {result['tensorflow']}"}
    for who, name in words.items():
        rate, cost = result["steps_per_second"][who], result["cpu_seconds_per_step"][who]
        lines.append(f"| {name} | {rate:.2f} | {cost:.3f} |")
    forced = result.get("forced", {})
    for precision, found in forced.items():
        rate, cost = found["steps_per_second"], found["cpu_seconds_per_step"]
        lines.append(f"| danqing, {precision} forced | {rate:.2f} | {cost:.3f} |")
    for precision, found in forced.items():
        work, peak = found["steps_per_second"] * result["operations"] / 1e12, found["peak"]
        lines += ["", f"In {precision} that is {work:.2f} TFLOP/s, {work / peak:.0%} of the peak of {peak:.2f}."]
    return "\n".join(lines)


def operations() -> int:
    """The floating-point operations of a step, if convolutions are computed as they are defined."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from bench.tutorial import TUTORIAL
    from danqing.core.learned.manner import convolving
    from danqing.core.learned.model import Samples
    from danqing.models.dcgan import DCGAN
    from danqing.training.step import Stepper

    known = inspect.signature(DCGAN).parameters.keys() & TUTORIAL.keys()
    model = DCGAN(channels=1, **{name: TUTORIAL[name] for name in known}).train()
    stepper, batch = Stepper(model, model.optimiser, "fp32"), Samples(torch.rand(TUTORIAL["batch"], 1, 28, 28))
    with FlopCounterMode(display=False) as counter, convolving("own"):
        stepper.step(batch, torch.Generator().manual_seed(0))
    return int(counter.get_total_flops())


def _forced(folder: Path) -> dict[str, Any]:
    """The median speed of each precision, in turn, and its peak in TFLOP/s."""
    import torch

    from danqing.core.learned.manner import computes_bf16

    types = {"fp32": torch.float32} | ({"bf16": torch.bfloat16} if computes_bf16("cpu") else {})
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in types}
    for number in range(FORCED):
        for name in types:
            out = str(folder / f"{name}-{number}")
            runs[name].append(_figures(sys.executable, "-m", "bench.throughput", out, name))
    figures = ("steps_per_second", "cpu_seconds_per_step")
    medians = {name: {what: statistics.median(run[what] for run in runs[name]) for what in figures} for name in types}
    return {name: {**medians[name], "peak": _peak(types[name])} for name in types}


def _peak(dtype: torch.dtype) -> float:
    """TFLOP/s of products of large matrices, the best of ten."""
    import torch

    matrix, times = torch.randn(SIDE, SIDE).to(dtype), []
    for _ in range(10):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return 2 * SIDE**3 / min(times) / 1e12


def measure(folder: Path, precision: str = "auto") -> dict[str, Any]:
    """Train for a while through the real loop and clock its steps; what the loop does between them is included."""
    import danqing
    from bench.tutorial import TUTORIAL
    from danqing.training.config import TrainConfig
    from danqing.training.loop import train

    endless = {"budget": "10000epochs", "every": "10000epochs"}
    config = TrainConfig.make("dcgan", "digits", **TUTORIAL, **endless, out=folder, precision=precision)
    job, steps, began, worked = train(config), 0, 0.0, 0.0
    for progress in job:
        steps = 0 if progress.preview is not None else steps + 1  # counted from the look at the untrained model
        if steps == WARM_UP:
            began, worked = time.perf_counter(), time.process_time()
        if steps > WARM_UP and time.perf_counter() - began > SECONDS:
            break
    seconds, used = time.perf_counter() - began, time.process_time() - worked
    job.close()
    facts = json.loads((folder / "config.json").read_text("utf-8"))
    return {
        "steps_per_second": (steps - WARM_UP) / seconds,
        "cpu_seconds_per_step": used / (steps - WARM_UP),
        "precision": facts["precision"],
        "danqing": danqing.__version__,
    }


def _environment() -> Path:
    """The interpreter of the peer's own environment, created when it is not there."""
    python = KERAS / "bin" / "python"
    if not python.exists():
        venv.create(KERAS, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PINNED], check=True)
    return python


def _figures(*command: str) -> dict[str, Any]:
    """Run a program and read the last line it prints."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _median(pairs: list[dict[str, Any]], who: str, what: str) -> float:
    return statistics.median(pair[who][what] for pair in pairs)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), *sys.argv[2:])))

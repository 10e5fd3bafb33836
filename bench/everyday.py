"""Everyday figures: start-up, first sample, memory, packing, evaluation

Whole processes, timed from outside, medians of several runs. The pictures to pack are JPEG files of 512×512 pixels made
from random smooth colours, packed to 64×64.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import interpolate

import danqing
from danqing.core.progress import finish
from danqing.data.store import pack

RUNS = 5
PICTURES = 400
SAMPLES = 2000


def run() -> dict[str, Any]:
    """Measure each once or a few times."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        photos = _photos(base / "photos")
        model = danqing.train("dcgan", "digits", budget="12800pictures", out=base / "run").model
        out = {
            "help": _command("--help"),
            "generate one": _command("generate", str(model), "--count", "1", "--out", str(base / "one.png"), "--force"),
            "train 40 steps": _command(
                "train", "dcgan", "digits", "--budget", "2560pictures", "--out", str(base / "short"), "--force", runs=3
            ),
            "evaluate 2,000": _command(
                "evaluate", str(model), "--data", "digits", "--count", str(SAMPLES), "--json", runs=2
            ),
        }
        os.environ["DANQING_CACHE"] = str(base / "cache")
        start = time.perf_counter()
        finish(pack(str(photos), size=64))
        packing = PICTURES / (time.perf_counter() - start)
        start = time.perf_counter()
        danqing.evaluate(model, data="digits", count=SAMPLES)
        evaluating = SAMPLES / (time.perf_counter() - start)
    return {"commands": out, "packing_per_s": packing, "evaluation_per_s": evaluating}


def table(result: dict[str, Any]) -> str:
    """Commands, then rates."""
    lines = ["| command | seconds (median) | peak memory |", "|---|---|---|"]
    lines += [
        f"| {name} | {value['seconds']:.2f} | {value['peak_mib']:.0f} MiB |"
        for name, value in result["commands"].items()
    ]
    return "\n".join(
        [
            *lines,
            "",
            f"Packing: **{result['packing_per_s']:.0f} pictures/s**. Evaluation (generating, features, all scores): "
            f"**{result['evaluation_per_s']:.0f} samples/s** within one process.",
        ]
    )


def _command(*words: str, runs: int = RUNS) -> dict[str, float]:
    seen = list(_runs([sys.executable, "-m", "danqing", *words], runs))
    return {
        "seconds": statistics.median(seconds for seconds, _ in seen),
        "peak_mib": statistics.median(peak for _, peak in seen),
    }


def _runs(command: list[str], runs: int) -> Iterator[tuple[float, float]]:
    for _ in range(runs):
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = 0.0
        while child.poll() is None:
            peak = max(peak, _peak(child.pid))
            time.sleep(0.01)
        if child.returncode:
            raise RuntimeError(f"{command} left with {child.returncode}")
        yield time.perf_counter() - start, peak


def _peak(process: int) -> float:
    """The largest resident memory of a process so far, MiB; its parent's wait would count the parent's own memory."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0.0)


def _photos(folder: Path) -> Path:
    folder.mkdir()
    rng = torch.Generator().manual_seed(0)
    for number in range(PICTURES):
        small = torch.rand(1, 3, 24, 24, generator=rng)
        smooth = interpolate(small, (512, 512), mode="bicubic").clamp(0, 1)
        danqing.write(smooth, folder / f"{number:04}.jpg")
    return folder

"""BM3D against the package bm3d

danqing's `bm3d` and the PyPI package `bm3d` (its own environment; non-commercial licence, no dependency of danqing)
denoise the same pictures in the same run: scikit-image's photographs with Gaussian noise, added in float and clipped to
[0, 1] as in files, and once not clipped as in published tables. PSNR in dB over all channels of results clipped to
[0, 1]. Times are those of the calls alone, both programs with as many threads as they take by themselves; processor
seconds are those of all threads together, and tell more where the machine is shared.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from danqing import bm3d

PACKAGE = "bm3d==4.0.3"
HOME = Path(__file__).parent / ".envs" / "bm3d"
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle", "camera")
SIGMAS = (15, 25, 50)
TIMED = ("astronaut", 25)  # 512 x 512 in colour
ROUNDS = 3
PEER = """
import sys, time, numpy, bm3d
for line in sys.stdin:
    source, target, sigma = line.split()
    picture = numpy.load(source)
    filtered = bm3d.bm3d_rgb if picture.ndim == 3 else bm3d.bm3d
    start, cpu = time.perf_counter(), time.process_time()
    clean = filtered(picture, float(sigma) / 255)
    times = time.perf_counter() - start, time.process_time() - cpu
    numpy.save(target, numpy.asarray(clean, numpy.float32).reshape(picture.shape))
    print(*times, flush=True)
"""


class Outcome(NamedTuple):
    """A filtered picture (1, C, H, W), how long it took, and the processor time of all threads."""

    picture: torch.Tensor
    seconds: float
    processor: float


def run() -> dict[str, Any]:
    """Denoise every photograph at every noise level with both, then take times in turn."""
    load = os.getloadavg()[0]  # before we add to it
    peer, rows = Peer(), []
    for name in PHOTOGRAPHS:
        clean = photograph(name)
        for sigma, clipped in (*((sigma, True) for sigma in SIGMAS), (25, False)):
            noisy = with_noise(clean, sigma, clipped)
            found = {"package": peer.denoised(noisy, sigma).picture, "danqing": ours(noisy, sigma).picture}
            row = {label: psnr(picture, clean) for label, picture in (("noisy", noisy), *found.items())}
            rows.append({"picture": name, "sigma": sigma, "clipped": clipped, **row})
            print(json.dumps(rows[-1]), flush=True)
    noisy = with_noise(photograph(TIMED[0]), TIMED[1])
    times = [(ours(noisy, TIMED[1])[1:], peer.denoised(noisy, TIMED[1])[1:]) for _ in range(ROUNDS)]
    print(json.dumps(times), flush=True)
    medians = {
        label: [statistics.median(pair[number][kind] for pair in times) for kind in (0, 1)]
        for number, label in enumerate(("danqing", "package"))
    }
    return {
        "package": PACKAGE,
        "rows": rows,
        "gain": statistics.fmean(row["danqing"] - row["package"] for row in rows if row["clipped"]),
        "gain_unclipped": statistics.fmean(row["danqing"] - row["package"] for row in rows if not row["clipped"]),
        "threads": torch.get_num_threads(),
        "load": load,
        "seconds": {label: seconds for label, (seconds, _) in medians.items()},
        "processor_seconds": {label: processor for label, (_, processor) in medians.items()},
        "ratio": statistics.median(theirs[0] / mine[0] for mine, theirs in times),
        "processor_ratio": statistics.median(theirs[1] / mine[1] for mine, theirs in times),
    }


def table(result: dict[str, Any]) -> str:
    """Speed and mean, then a line a picture."""
    seconds, processor, rows = result["seconds"], result["processor_seconds"], result["rows"]
    lines = [
        f"**{result['ratio']:.1f}×** as fast on {TIMED[0]} (512×512, colour, σ = {TIMED[1]}, {result['threads']} "
        f"threads, load of the machine before: {result['load']:.1f}): {seconds['danqing']:.2f} s against "
        f"{seconds['package']:.2f} s; {result['processor_ratio']:.1f}× by processor time "
        f"({processor['danqing']:.2f} s against {processor['package']:.2f} s); medians of {ROUNDS} runs in turn. Mean "
        f"PSNR against the package: **{result['gain']:+.2f} dB** (σ = 15, 25, 50), {result['gain_unclipped']:+.2f} dB "
        "at σ = 25 not clipped.",
        "",
        "| picture | σ | noisy | package | danqing | difference |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        level = f"{row['sigma']}{'' if row['clipped'] else ', not clipped'}"
        levels = " | ".join(f"{row[label]:.2f}" for label in ("noisy", "package", "danqing"))
        lines.append(f"| {row['picture']} | {level} | {levels} | {row['danqing'] - row['package']:+.2f} |")
    return "\n".join(lines)


class Peer:
    """The package, in a process of its own that stays, so that starting it is not timed."""

    def __init__(self) -> None:
        python = HOME / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True)
        self.process = subprocess.Popen([python, "-c", PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def denoised(self, noisy: torch.Tensor, sigma: int) -> Outcome:
        """What the package makes of a picture (1, C, H, W)."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "noisy.npy"), Path(folder, "clean.npy")
            np.save(source, noisy[0].permute(1, 2, 0).numpy().squeeze())
            self.process.stdin.write(f"{source} {target} {sigma}\n")
            self.process.stdin.flush()
            seconds, processor = map(float, self.process.stdout.readline().split())
            clean = np.load(target)
        picture = torch.from_numpy(clean.reshape(*clean.shape[:2], -1)).permute(2, 0, 1)[None]
        return Outcome(picture.clamp(0, 1), seconds, processor)


def photograph(name: str) -> torch.Tensor:
    """A picture (1, C, H, W) that comes with scikit-image."""
    from skimage import data

    pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    return torch.from_numpy((pixels / 255).astype(np.float32).reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)[None]


def with_noise(clean: torch.Tensor, sigma: int, clipped: bool = True) -> torch.Tensor:
    """Add noise that is the same in every run."""
    noise = np.random.default_rng(0).normal(0, sigma / 255, clean[0].permute(1, 2, 0).shape)
    noisy = (clean + torch.from_numpy(noise).permute(2, 0, 1)).float().contiguous()
    return noisy.clamp(0, 1) if clipped else noisy


def ours(noisy: torch.Tensor, sigma: int) -> Outcome:
    """What danqing makes of it.

    The filter goes with changes of contrast: values outside [0, 1], which operators refuse, are brought inside.
    """
    outside = bool(noisy.aminmax()[0] < 0)
    x = (noisy / 4 + 3 / 8).clamp(0, 1) if outside else noisy
    start, processor = time.perf_counter(), time.process_time()
    clean = bm3d(x, sigma=sigma / 4 if outside else float(sigma))
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return Outcome(((clean - 3 / 8) * 4).clamp(0, 1) if outside else clean, seconds, processor)


def psnr(picture: torch.Tensor, clean: torch.Tensor) -> float:
    """In dB."""
    return float(-10 * (picture.double() - clean).square().mean().log10())

"""BM3D against the package bm3d

danqing's `bm3d` and the PyPI package `bm3d` 4.0 (its own environment, non-commercial licence, no dependency of danqing)
denoise the same pictures in the same run: scikit-image's photographs with Gaussian noise, added in float and clipped to
[0, 1] as in files. PSNR in dB over all channels. "As published" is `clipped=False`, the same filter without the
correction of shadows and lights that is danqing's addition. Times are of danqing's default, each the median of
alternating runs where it says so.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from danqing import bm3d

PACKAGE = "bm3d==4.0.3"
HOME = Path(__file__).parent / ".envs" / "bm3d"
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle", "camera")
SIGMAS = (15, 25, 50)
TIMED = ("astronaut", 25)  # 512 x 512 in colour
ROUNDS = 5
PEER = """
import sys, time, numpy, bm3d
for line in sys.stdin:
    source, target, sigma = line.split()
    picture = numpy.load(source)
    start = time.perf_counter()
    clean = (bm3d.bm3d_rgb if picture.ndim == 3 else bm3d.bm3d)(picture, float(sigma) / 255)
    seconds = time.perf_counter() - start
    numpy.save(target, numpy.asarray(clean, numpy.float32).reshape(picture.shape))
    print(seconds, flush=True)
"""


def run() -> dict[str, Any]:
    """Denoise every photograph at every noise level with both, then take times in turn."""
    peer, rows = Peer(), []
    for name in PHOTOGRAPHS:
        clean = photograph(name)
        for sigma in SIGMAS:
            noisy = with_noise(clean, sigma)
            pictures: dict[str, Any] = {"noisy": (noisy, None), "package": peer.denoised(noisy, sigma)}
            pictures |= {"ours": ours(noisy, sigma), "as published": ours(noisy, sigma, clipped=False)}
            row = {label: {"psnr": psnr(picture, clean), "seconds": s} for label, (picture, s) in pictures.items()}
            rows.append({"picture": name, "sigma": sigma, **row})
            print(json.dumps(rows[-1]), flush=True)
    noisy = with_noise(photograph(TIMED[0]), TIMED[1])
    times = [(ours(noisy, TIMED[1])[1], peer.denoised(noisy, TIMED[1])[1]) for _ in range(ROUNDS)]
    return {
        "package": PACKAGE,
        "rows": rows,
        "gain": {label: mean_gain(rows, label) for label in ("as published", "ours")},
        "timed": TIMED,
        "threads": torch.get_num_threads(),
        "seconds": {"ours": statistics.median(a for a, _ in times), "package": statistics.median(b for _, b in times)},
        "ratio": statistics.median(theirs / mine for mine, theirs in times),
    }


def table(result: dict[str, Any]) -> str:
    """A line a picture and noise level, and the means."""
    gain, seconds = result["gain"], result["seconds"]
    lines = [
        f"**{result['ratio']:.1f}×** as fast on {result['timed'][0]} (512×512, colour, σ = {result['timed'][1]}, "
        f"{result['threads']} threads): {seconds['ours']:.2f} s against {seconds['package']:.2f} s, medians "
        f"of {ROUNDS} runs in turn. Mean PSNR against the package: **{gain['as published']:+.2f} dB** as published, "
        f"**{gain['ours']:+.2f} dB** with clipping undone.",
        "",
        "| picture | σ | noisy | package | danqing, as published | danqing | package | danqing |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        levels = " | ".join(f"{row[label]['psnr']:.2f}" for label in ("noisy", "package", "as published", "ours"))
        times = " | ".join(f"{row[label]['seconds']:.2f} s" for label in ("package", "ours"))
        lines.append(f"| {row['picture']} | {row['sigma']} | {levels} | {times} |")
    return "\n".join(lines)


class Peer:
    """The package, in a process of its own that stays, so that starting it is not timed."""

    def __init__(self) -> None:
        python = HOME / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True)
        self.process = subprocess.Popen(
            [python, "-c", PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}
        )

    def denoised(self, noisy: torch.Tensor, sigma: int) -> tuple[torch.Tensor, float]:
        """What the package makes of a picture (1, C, H, W), and in how many seconds."""
        import tempfile

        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "noisy.npy"), Path(folder, "clean.npy")
            np.save(source, noisy[0].permute(1, 2, 0).numpy().squeeze())
            self.process.stdin.write(f"{source} {target} {sigma}\n")
            self.process.stdin.flush()
            seconds = float(self.process.stdout.readline())
            clean = np.load(target)
        return torch.from_numpy(clean.reshape(*clean.shape[:2], -1)).permute(2, 0, 1)[None].clamp(0, 1), seconds


def photograph(name: str) -> torch.Tensor:
    """A picture (1, C, H, W) that comes with scikit-image."""
    from skimage import data

    pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    return torch.from_numpy((pixels / 255).astype(np.float32).reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)[None]


def with_noise(clean: torch.Tensor, sigma: int) -> torch.Tensor:
    """Add noise that is the same in every run, and clip."""
    noise = np.random.default_rng(0).normal(0, sigma / 255, clean[0].permute(1, 2, 0).shape)
    return (clean + torch.from_numpy(noise).permute(2, 0, 1)).clamp(0, 1).float().contiguous()


def ours(noisy: torch.Tensor, sigma: int, clipped: bool = True) -> tuple[torch.Tensor, float]:
    """What danqing makes of it, and in how many seconds."""
    start = time.perf_counter()
    clean = bm3d(noisy, sigma=float(sigma), clipped=clipped)
    return clean, time.perf_counter() - start


def psnr(picture: torch.Tensor, clean: torch.Tensor) -> float:
    """In dB."""
    return float(-10 * (picture.double() - clean).square().mean().log10())


def mean_gain(rows: list[dict[str, Any]], label: str) -> float:
    """Mean difference to the package in dB."""
    return statistics.fmean(row[label]["psnr"] - row["package"]["psnr"] for row in rows)

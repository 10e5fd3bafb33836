"""Mixed damage: photographs that are small or blurred, and also noisy or compressed

Parts (288×256 px) of scikit-image's photographs, halved (bicubic) or out of focus (radius 1.5 px), and then as they
are, compressed (JPEG 70, 30), noisy (white, σ = 8), taken by a camera (`add_camera_noise`, ISO 3200, JPEG 85), or noisy
(σ = 5) and compressed (JPEG 60). PSNR (dB, RGB) against the photograph: of `upscale` and `deblur` with and without
cleaning first; of weights that learned mixed damage and clean by themselves, where they were trained (`danqing
train --config danqing/zoo/recipes/unbundled/upscale-mixed.json --out runs/zoo-upscale-mixed`); and of bicubic
enlarging, or of the blurred picture as it is.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Generator

import danqing
from bench.bm3d import photograph, psnr
from danqing.core.pictures.contract import Images
from danqing.maths.degradation import defocus, gaussian_noise, jpeg, shrink

MIXED = Path("runs/zoo-upscale-mixed/model.safetensors")
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")


def run() -> dict[str, Any]:
    """Spoil, clean and restore."""
    means: dict[str, dict[str, float]] = {}
    for name, spoil in SPOILT.items():
        rows = [_row(photograph(each)[..., :256, :288].contiguous(), spoil) for each in PHOTOGRAPHS]
        means[name] = {way: statistics.fmean(row[way] for row in rows) for way in rows[0]}
        print(name, means[name], flush=True)
    return {"means": means}


def table(result: dict[str, Any]) -> str:
    """A line a kind of damage."""
    ways = list(next(iter(result["means"].values())))
    lines = ["| also | " + " | ".join(ways) + " |", "|---" * (len(ways) + 1) + "|"]
    return "\n".join(
        lines
        + [
            f"| {name} | " + " | ".join(f"{each[way]:.2f}" for way in ways) + " |"
            for name, each in result["means"].items()
        ]
    )


def _row(clean: Images, spoil: Callable[[Images], Images]) -> dict[str, float]:
    small, blurred = spoil(shrink(clean, 2)), spoil(defocus(clean, torch.tensor([1.5])))
    made = {
        "bicubic ×2": danqing.upscale(small, method="bicubic"),
        "upscale ×2, not cleaned": danqing.upscale(small, clean=False),
        "upscale ×2": danqing.upscale(small),
        "blurred": blurred,
        "deblur, not cleaned": danqing.deblur(blurred, clean=False),
        "deblur": danqing.deblur(blurred),
    }
    if MIXED.exists():
        made["upscale ×2, learned mixed"] = danqing.upscale(small, weights=str(MIXED))
    return {way: psnr(each, clean) for way, each in made.items()}


def _jpeg(x: Images, quality: float) -> Images:
    return jpeg(x, torch.tensor([quality]))


def _noisy(x: Images, sigma: float) -> Images:
    return gaussian_noise(x, torch.tensor([sigma / 255]), Generator().manual_seed(0))


SPOILT: dict[str, Callable[[Images], Images]] = {
    "nothing": lambda x: x,
    "JPEG 70": lambda x: _jpeg(x, 70.0),
    "JPEG 30": lambda x: _jpeg(x, 30.0),
    "noise σ = 8": lambda x: _noisy(x, 8),
    "camera": lambda x: danqing.add_camera_noise(x, iso=3200, quality=85),
    "noise σ = 5, JPEG 60": lambda x: _jpeg(_noisy(x, 5), 60.0),
}

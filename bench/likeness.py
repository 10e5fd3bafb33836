"""Likeness at a distance: what `denoise --effort best` gains on photographs and on stripes, and stripes taken for noise

Pictures that no net has learned from: the middle 256×256 px of photographs held out of `runs/photographs` (every third,
if they are there), and a cloth of oblique stripes, hard and soft, drawn for this benchmark. White noise, clipped to
[0, 1]; PSNR in dB over RGB, means over pictures; `bm3d` is danqing's and is told σ, `denoise` finds it. The meter: what
it says of clean stripes, how much of them cannot be told from pixels far away, and the greatest ratio of the one to
the other over those photographs, clean, with a camera's noise and with white noise (σ = 15): it is believed up to 1.25.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

import torch

import danqing
from bench.bm3d import SIGMAS, psnr
from bench.camera import HELD_OUT
from bench.denoise import noisy_copy
from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.pictures.contract import Images
from danqing.maths.noise import not_told_from_afar
from danqing.nets.noise_estimate import METER

SIDE, EVERY = 256, 3
WAYS: Mapping[str, Any] = {
    "bm3d": lambda x, sigma: danqing.bm3d(x, sigma=sigma),
    "denoise": lambda x, sigma: danqing.denoise(x),
    "effort best": lambda x, sigma: danqing.denoise(x, effort="best"),
}


def run() -> dict[str, Any]:
    """Denoise both kinds, and ask the meter."""
    cloth, photographs = stripes(), list(_held_out())
    kinds = {"oblique stripes": [cloth], f"{len(photographs)} photographs held out": photographs}
    rows = []
    for kind, pictures in kinds.items():
        for sigma in SIGMAS if pictures else ():
            noisy = [noisy_copy(each, sigma) for each in pictures]
            found = {
                way: statistics.fmean(psnr(made(x, sigma), clean) for x, clean in zip(noisy, pictures, strict=True))
                for way, made in WAYS.items()
            }
            rows.append({"kind": kind, "sigma": sigma, **found})
            print(rows[-1], flush=True)
    ratios = [
        float(_said(x) / not_told_from_afar(x))
        for each in photographs
        for x in (each, danqing.add_camera_noise(each), noisy_copy(each, SIGMAS[0]))
    ]
    said, bound = (255 * float(each) for each in (_said(cloth), not_told_from_afar(cloth)))
    return {"rows": rows, "stripes": {"said": said, "not told from afar": bound}, "ratio": max(ratios, default=None)}


def table(result: dict[str, Any]) -> str:
    """A line a kind and strength, and what the meter says."""
    lines = ["| pictures | σ | " + " | ".join(WAYS) + " |", "|---" * (2 + len(WAYS)) + "|"]
    for row in result["rows"]:
        lines.append(f"| {row['kind']} | {row['sigma']} | " + " | ".join(f"{row[way]:.2f}" for way in WAYS) + " |")
    found = result["stripes"]
    said = f"{found['said']:.1f} of 255, of which {found['not told from afar']:.1f} cannot be told from afar"
    lines += ["", f"Of clean stripes the meter alone says σ = {said}."]
    if result["ratio"] is not None:
        lines.append(f"Of photographs it says at most {result['ratio']:.2f} times what cannot be told from afar.")
    return "\n".join(lines)


def stripes() -> Images:
    """A cloth (1, 3, 256, 256): hard stripes across, soft ones along, and both."""
    down, across = torch.meshgrid(torch.arange(float(SIDE)), torch.arange(float(SIDE)), indexing="ij")
    hard = 0.5 + 0.35 * torch.sign(torch.sin(math.tau * (0.9 * across + 0.3 * down) / 7.3))
    soft = 0.5 + 0.3 * torch.sin(math.tau * (0.2 * across + down) / 5.1)
    return torch.stack([hard, soft, (hard + soft) / 2])[None]


def _held_out() -> Iterator[Images]:
    for file in sorted(HELD_OUT.glob("*.png"))[::EVERY]:
        x = danqing.read(file).pixels[:, :3]
        top, left = ((side - SIDE) // 2 for side in x.shape[-2:])
        if min(top, left) >= 0:
            yield x[..., top : top + SIDE, left : left + SIDE].contiguous()


def _said(x: Images) -> torch.Tensor:
    meter: Any = cached(METER, kind=Model)
    level: torch.Tensor = meter.measure(x, None).level
    return level

"""Denoising: learned nets against the package bm3d, OpenCV and scikit-image

PSNR in dB over RGB on scikit-image's photographs (never learned from), the same Gaussian noise for all, added in float
and clipped to [0, 1] as in files; the nets are blind, the others are told σ. Nets that are named compute in fp32,
`danqing denoise` as it chooses itself (before that choice was made by processor time it took 0.14 s where matrices are
multiplied at 0.9 TFLOP/s; this machine's pace: Training throughput). What bf16 changes is measured on the middle
128×128 px of each photograph at σ = 25, since processors without instructions for it emulate it slowly. The last row
has unclipped noise, as published tables have it. OpenCV's `fastNlMeansDenoisingColored` has h = 0.8 σ; scikit-image's
best of `denoise_nl_means` (h = 0.6 σ, σ given) and `denoise_tv_chambolle` (weight σ) is taken picture by picture. The
package's PSNR is that of the benchmark bm3d, which has the same noise, if that was run; its time is taken here.
"""

from __future__ import annotations

import copy
import json
import math
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import danqing
from bench.bm3d import PACKAGE, PHOTOGRAPHS, SIGMAS, TIMED, Peer, photograph, psnr
from danqing.core.learned.card import bundled
from danqing.core.learned.manner import computes_bf16
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images
from danqing.nets.precision import Precision

ROUNDS = 3
WARM = 1
SAME = 1e-6  # dB by which the same noise may differ: sums are taken in another order
BM3D = Path(__file__).parent / "results" / "bm3d.json"


def run() -> dict[str, Any]:
    """Denoise every photograph at every level with every method, then take times in turn."""
    peer, known = Peer(), _known()
    methods: dict[str, Callable[[Images, float], Images]] = {
        "bm3d": lambda x, sigma: peer.denoised(x, round(sigma))[0],
        "danqing bm3d": lambda x, sigma: danqing.bm3d(x.clamp(0, 1), sigma=sigma),
        "OpenCV": _opencv,
        "scikit-image": lambda x, sigma: x,  # the best of two, which needs the clean picture
        "danqing denoise": lambda x, sigma: danqing.denoise(x.clamp(0, 1)),
        "effort best": lambda x, sigma: danqing.denoise(x.clamp(0, 1), effort="best"),
        **{name: _learned(name) for name in _nets()},
    }
    cases = [(name, sigma, True) for sigma in SIGMAS for name in PHOTOGRAPHS]
    cases += [(name, TIMED[1], False) for name in PHOTOGRAPHS]
    rows = []
    for name, sigma, clipped in cases:
        clean = photograph(name)
        noisy = noisy_copy(clean, sigma, clipped)
        before, theirs = known.get((name, sigma, clipped), (math.nan, math.nan))
        told = {"bm3d": theirs} if abs(before - psnr(noisy, clean)) < SAME else {}
        wanted = {label: method for label, method in methods.items() if label not in told}
        found = told | {label: psnr(method(noisy, sigma).clamp(0, 1), clean) for label, method in wanted.items()}
        found["scikit-image"] = max(psnr(each, clean) for each in _scikit(noisy, sigma))
        rows.append({"picture": name, "sigma": sigma, "clipped": clipped, "noisy": psnr(noisy, clean), **found})
        print(rows[-1], flush=True)
    noisy = noisy_copy(photograph(TIMED[0]), TIMED[1])
    seconds = {label: [] for label in methods if label != "scikit-image"}  # type: dict[str, list[float]]
    for at in range(ROUNDS + WARM):
        for label in seconds:
            if label == "bm3d" and at < WARM:
                continue
            start = time.perf_counter()
            methods[label](noisy, TIMED[1])
            if at >= WARM:
                seconds[label].append(time.perf_counter() - start)
    return {
        "package": PACKAGE,
        "rows": rows,
        "seconds": {label: statistics.median(times) for label, times in seconds.items()},
        "times_as_fast_as_bm3d": {
            label: statistics.median(theirs / mine for mine, theirs in zip(times, seconds["bm3d"], strict=True))
            for label, times in seconds.items()
        },
        "threads": torch.get_num_threads(),
        "bf16": _bf16(_nets()[-1]),
        "trained": {name: load(name).card["training"]["pictures_seen"] for name in _nets()},
    }


def table(result: dict[str, Any]) -> str:
    """Means a level, pictures at σ = 25, and times."""
    labels = [label for label in result["rows"][0] if label not in ("picture", "sigma", "clipped")]
    lines = ["| mean PSNR | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    groups = [(f"σ = {sigma}", sigma, True) for sigma in SIGMAS] + [(f"σ = {TIMED[1]}, unclipped", TIMED[1], False)]
    for words, sigma, clipped in groups:
        rows = [row for row in result["rows"] if (row["sigma"], row["clipped"]) == (sigma, clipped)]
        lines.append(
            f"| {words} | "
            + " | ".join(f"{statistics.fmean(row[label] for row in rows):.2f}" for label in labels)
            + " |"
        )
    lines += ["", "| σ = 25 | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    for row in result["rows"]:
        if (row["sigma"], row["clipped"]) == (25, True):
            lines.append(f"| {row['picture']} | " + " | ".join(f"{row[label]:.2f}" for label in labels) + " |")
    lines += [
        "",
        "| 512×512, colour | seconds | times as fast as bm3d | pictures seen in training |",
        "|---|---|---|---|",
    ]
    for label, seconds in result["seconds"].items():
        ratio, seen = result["times_as_fast_as_bm3d"][label], result["trained"].get(label)
        lines.append(f"| {label} | {seconds:.3f} | {ratio:.1f} | {f'{seen:,}' if seen else ''} |")
    found = result["bf16"]
    how = "with instructions for it" if found["instructions"] else "emulated, since this processor has none"
    lines += ["", f"bf16 instead of fp32 ({how}): {found['gain_db']:+.3f} dB, {found['times_as_fast']:.2f}× as fast."]
    return "\n".join(lines)


def noisy_copy(clean: Images, sigma: float, clipped: bool = True) -> Images:
    """The picture with the same noise for all methods and in every run."""
    noise = np.random.default_rng(0).normal(0, sigma / 255, clean[0].permute(1, 2, 0).shape)
    noisy = clean + torch.from_numpy(noise).permute(2, 0, 1).float()
    return (noisy.clamp(0, 1) if clipped else noisy).contiguous()


def _known() -> dict[tuple[str, float, bool], tuple[float, float]]:
    """PSNR before and after that ``python -m bench bm3d`` found for the package, which takes minutes."""
    if not BM3D.exists():
        return {}
    rows = json.loads(BM3D.read_text("utf-8"))["rows"]
    return {(row["picture"], row["sigma"], row["clipped"]): (row["noisy"], row["package"]) for row in rows}


def _nets() -> list[str]:
    return [name for name in ("denoise-tiny", "denoise-base") if name in bundled()]


def _learned(name: str, precision: Precision = "fp32") -> Callable[[Images, float], Images]:
    """A blind net; unclipped noise goes round the operator, which only takes pictures."""
    model: Any = copy.copy(load(name))
    model.precision = precision
    return lambda x, _: model.restore(x) if x.min() < 0 else danqing.denoise(x, weights=model)


def _bf16(name: str) -> dict[str, Any]:
    """What bf16 changes in quality and speed."""
    sums = {"fp32": 0.0, "bf16": 0.0}
    seconds: dict[str, list[float]] = {"fp32": [], "bf16": []}
    precisions: tuple[Precision, Precision] = ("fp32", "bf16")
    for picture in PHOTOGRAPHS:
        whole = photograph(picture)
        top, left = ((side - 128) // 2 for side in whole.shape[-2:])
        clean = whole[..., top : top + 128, left : left + 128]
        for precision in precisions:
            start = time.perf_counter()
            made = _learned(name, precision)(noisy_copy(clean, TIMED[1]), TIMED[1])
            seconds[precision].append(time.perf_counter() - start)
            sums[precision] += psnr(made, clean)
    return {
        "gain_db": (sums["bf16"] - sums["fp32"]) / len(PHOTOGRAPHS),
        "times_as_fast": statistics.median(a / b for a, b in zip(seconds["fp32"], seconds["bf16"], strict=True)),
        "instructions": computes_bf16("cpu"),
    }


def _opencv(x: Images, sigma: float) -> Images:
    import cv2

    pixels = (x[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().numpy()
    if pixels.shape[2] == 1:
        clean = cv2.fastNlMeansDenoising(pixels, None, 0.8 * sigma)[..., None]
    else:
        clean = cv2.fastNlMeansDenoisingColored(pixels, None, 0.8 * sigma, 0.8 * sigma)
    return torch.from_numpy(clean).permute(2, 0, 1)[None].float() / 255


def _scikit(x: Images, sigma: float) -> list[Images]:
    from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

    pixels, level = x[0].permute(1, 2, 0).clamp(0, 1).squeeze(2).numpy(), sigma / 255
    axis = 2 if pixels.ndim == 3 else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [
            denoise_nl_means(pixels, h=0.6 * level, sigma=level, patch_size=5, patch_distance=6, channel_axis=axis),
            denoise_tv_chambolle(pixels, weight=level, channel_axis=axis),
        ]
    return [torch.from_numpy(np.atleast_3d(np.float32(each))).permute(2, 0, 1)[None].clamp(0, 1) for each in found]

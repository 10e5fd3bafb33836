"""Restoration: enlarging, inpainting, JPEG, blur, colour, darkness

On scikit-image's photographs (never learned from), cut to even sides. Enlarging (camera, a grey one, too): PSNR on Y
(BT.601) after antialiased bicubic shrinking, a border of the scale left out. Inpainting: PSNR and SSIM inside the mask,
20 % of strokes, and text. JPEG: against the compressed picture. Blur: defocus of radius 2 and motion of 9 px under
noise of σ 2, against the Wiener filter that is told the blur. Colour: mean ΔE2000 and colourfulness (Hasler and
Süsstrunk) against the grey picture and against the mean colour of these very photographs, which no program could know.
Darkness: a tenth of the light, against CLAHE and retinex.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Generator

import danqing
from bench.bm3d import photograph, psnr
from danqing.core.pictures.contract import Images, Mask
from danqing.maths import degradation, masks
from danqing.maths.colour import brightness, luma

GREY = ("camera",)  # enlarged, too
COLOUR = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle")
Y = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 255

Rows = dict[str, dict[str, float]]


def run() -> dict[str, Any]:
    """Every task on every photograph; means by method."""
    photos = {name: _even(photograph(name)) for name in COLOUR}
    all_photos = photos | {name: _even(photograph(name)) for name in GREY}
    result = {
        **{f"upscale ×{scale}, PSNR-Y": _mean(all_photos, partial(_upscaled, scale=scale)) for scale in (2, 3, 4)},
        **{f"inpaint {kind}": _mean(photos, partial(_inpainted, kind=kind)) for kind in ("strokes", "text")},
        **{f"dejpeg at {q}, PSNR": _mean(photos, partial(_dejpeg, quality=q)) for q in (10, 30)},
        "deblur defocus, PSNR": _mean(photos, partial(_deblurred, kind="defocus")),
        "deblur motion, PSNR": _mean(photos, partial(_deblurred, kind="motion")),
        "colourise": _coloured(photos),
        "enhance low light, PSNR": _mean(photos, _brightened),
    }
    large = photos["astronaut"]
    speed = {}
    for scale in (2, 4):
        small = degradation.shrink(large, scale)
        seconds = _timed(partial(danqing.upscale, small, scale=scale))
        speed[f"upscale ×{scale}, s per output megapixel"] = seconds / (large.shape[-1] * large.shape[-2] / 1e6)
    height, width = large.shape[-2:]
    mask = masks.free_form(1, height, width, 0.2, _seeded())
    for method in ("learned", "telea", "navier-stokes", "biharmonic"):
        speed[f"inpaint {method}, s for 512×512"] = _timed(partial(danqing.inpaint, large, mask=mask, method=method), 1)
    return {"means": result, "seconds": speed}


def table(result: dict[str, Any]) -> str:
    """A line a task, then times."""
    lines = ["| task | " + "methods, best first |", "|---|---|"]
    for task, found in result["means"].items():
        less_is_more = task == "colourise"
        ranked = sorted(found.items(), key=lambda item: item[1] if less_is_more else -item[1])
        lines.append(
            f"| {task} | "
            + " · ".join(
                f"{name} **{value:.3f}**" if value < 1 else f"{name} **{value:.2f}**" for name, value in ranked
            )
            + " |"
        )
    lines += ["", "| time | seconds |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value:.3f} |" for name, value in result["seconds"].items()])


def _mean(photos: dict[str, Images], measure: Callable[[Images], dict[str, float]]) -> dict[str, float]:
    found = [measure(x) for x in photos.values()]
    means = {name: statistics.fmean(each[name] for each in found) for name in found[0]}
    print(means, flush=True)
    return means


def _upscaled(clean: Images, scale: int) -> dict[str, float]:
    clean = clean[..., : clean.shape[-2] // scale * scale, : clean.shape[-1] // scale * scale]
    small = degradation.shrink(clean, scale)

    def score(made: Images) -> float:
        inner = (slice(None), slice(None), slice(scale, -scale), slice(scale, -scale))
        return psnr((made * Y).sum(1, keepdim=True)[inner], (clean * Y).sum(1, keepdim=True)[inner])

    methods = ("learned", "lanczos", "bicubic")
    return {method: score(danqing.upscale(small, scale=scale, method=method)) for method in methods}


def _inpainted(clean: Images, kind: str) -> dict[str, float]:
    draw = masks.free_form if kind == "strokes" else masks.text_mask
    height, width = clean.shape[-2:]
    mask = draw(1, height, width, 0.2 if kind == "strokes" else 0.1, _seeded())
    holed = clean * (1 - mask)
    found = {}
    for method in ("learned", "telea", "navier-stokes", "biharmonic"):
        made = danqing.inpaint(holed, mask=mask, method=method)
        error = ((made - clean).square() * mask).sum() / (3 * mask.sum())
        found[f"{method}, PSNR"] = float(-10 * error.log10())
        found[f"{method}, SSIM"] = _ssim_inside(made, clean, mask)
    return found


def _ssim_inside(made: Images, clean: Images, mask: Mask) -> float:
    from skimage.metrics import structural_similarity

    one, two = (x[0].permute(1, 2, 0).numpy() for x in (made, clean))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, plane = structural_similarity(one, two, channel_axis=2, data_range=1.0, full=True, **settings)
    return float(plane.mean(2)[mask[0, 0].numpy() > 0].mean())


def _dejpeg(clean: Images, quality: int) -> dict[str, float]:
    spoilt = degradation.jpeg(clean, torch.tensor([float(quality)]))
    filtered = danqing.bilateral(spoilt)
    return {
        "learned": psnr(danqing.dejpeg(spoilt), clean),
        "bilateral": psnr(filtered, clean),
        "JPEG": psnr(spoilt, clean),
    }


def _deblurred(clean: Images, kind: str) -> dict[str, float]:
    if kind == "defocus":
        blurred = degradation.defocus(clean, torch.tensor([2.0]))
        told: dict[str, Any] = {"radius": 2.0, "blur": "disk"}
    else:
        blurred = degradation.motion(clean, torch.tensor([9.0]), torch.tensor([30.0]))
        told = {"radius": 4.5, "blur": "motion", "angle": 30.0}
    blurred = degradation.gaussian_noise(blurred, torch.tensor([2 / 255]), _seeded())
    wiener = danqing.deconvolve(blurred, **told, sigma=2.0)
    return {
        "learned": psnr(danqing.deblur(blurred), clean),
        "Wiener, told the blur": psnr(wiener, clean),
        "blurred": psnr(blurred, clean),
    }


def _coloured(photos: dict[str, Images]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    mean = torch.stack([(x - luma(x)).mean((0, 2, 3)) for x in photos.values()]).mean(0).view(1, 3, 1, 1)
    for clean in photos.values():
        grey = brightness(clean)
        guesses = {
            "learned": danqing.colourise(grey),
            "grey": grey.expand_as(clean),
            "constant": (grey + mean).clamp(0, 1),
        }
        for name, made in guesses.items():
            found.setdefault(f"{name}, ΔE2000", []).append(_difference(made, clean))
            found.setdefault(f"{name}, colourfulness off by", []).append(
                abs(_colourfulness(made) - _colourfulness(clean))
            )
    return {name: statistics.fmean(values) for name, values in found.items()}


def _difference(made: Images, clean: Images) -> float:
    from skimage.color import deltaE_ciede2000, rgb2lab

    one, two = (rgb2lab(x[0].permute(1, 2, 0).numpy()) for x in (made, clean))
    return float(np.mean(deltaE_ciede2000(one, two)))


def _colourfulness(x: Images) -> float:
    red, green, blue = x[0] * 255
    one, two = red - green, (red + green) / 2 - blue
    return float((one.var() + two.var()).sqrt() + 0.3 * (one.mean() ** 2 + two.mean() ** 2).sqrt())


def _brightened(clean: Images) -> dict[str, float]:
    exposure, gamma, sigma = (torch.tensor([value]) for value in (0.1, 1.1, 0.001))
    dark = degradation.low_light(clean, exposure, gamma, sigma, _seeded())
    methods = ("learned", "clahe", "retinex")
    found = {method: psnr(danqing.enhance(dark, method=method), clean) for method in methods}
    return {**found, "dark": psnr(dark, clean)}


def _timed(work: Callable[[], Any], rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _even(x: Images) -> Images:
    return x[..., : x.shape[-2] // 12 * 12, : x.shape[-1] // 12 * 12].contiguous()


def _seeded() -> Generator:
    return Generator().manual_seed(0)

"""The operator noise_level."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths import noise
from danqing.maths.colour import brightness
from danqing.maths.opacity import opacity_of, unhidden, weights_of
from danqing.nets.noise_estimate import Estimate, estimate_noise

TONES = 8  # steps from black to white whose noise is told apart
FEWEST = 200  # pixels that a tone must have
NORMAL = 0.67449  # median size of a normal variable
FAINT = 0.01  # σ on the 0–255 scale
GAIN = 8.0  # times that the noise is shown
_ESTIMATORS = {"patches": noise.by_patches, "wavelet": noise.by_wavelets, "laplacian": noise.by_laplacians}


@operator(version=3)
def noise_level(
    x: Images,
    method: Literal["learned", "patches", "wavelet", "laplacian"] = "learned",
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Estimate how strong the noise in pictures is, from nothing but the pictures.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        method: learned also finds the noise of cameras, which is not white: a net is believed where it sees clearly
            more than patches does. patches finds the directions in which small patches vary by noise alone, exact for
            white noise, and is seldom misled by texture; wavelet and laplacian are faster and take fine texture for
            noise.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        For each picture ``sigma``, the standard deviation on the 0–255 scale (null for pictures too small to tell), and
        ``tones``: the same for eight steps from black to white (null where there are few such pixels), which differ in
        photographs of little light; for learned also ``colours``, the same in red, green and blue, and ``grain``: how
        alike the noise of neighbouring pixels is, 0 for white noise and near 1 for coarse grain (both null, too, where
        sigma is); and what is left when the picture is taken away, eight times enlarged about grey (B, C, H, W).

    Source: danqing.nets.noise_estimate (learned); G. Chen et al. 2015 (patches); D. Donoho, I. Johnstone 1994
    (wavelet); J. Immerkær 1996 (laplacian), as ``danqing.maths.noise`` has them; tones by laplacian, in flat places.

    Examples:
        danqing noise_level photo.png --json
        danqing noise_level photo.png --method wavelet --out grain.png
    """
    opacity = opacity_of(x, alpha)
    seen, x = weights_of(x, opacity) > 0, unhidden(x, opacity)
    yield Progress(0, len(x), "looking for noise")
    estimate = estimate_noise(x, seen) if method == "learned" else None
    found = _ESTIMATORS[method](x, seen) if estimate is None else estimate.level
    rest = _rest(x) * seen[:, None]
    numbers: list[dict[str, Any]] = []
    for sigma, picture, left, there in zip(found.tolist(), brightness(x), rest, seen, strict=True):
        yield Progress(len(numbers), len(x), "telling tones apart")
        numbers.append({"sigma": _told(sigma), "tones": _by_tone(picture, left, there), "method": method})
    if estimate is not None:
        for at, told in enumerate(numbers):
            told |= _as_the_net_sees(told, estimate, at, rest[at], seen[at])
    return Figures(numbers, (0.5 + GAIN * rest).clamp(0, 1))


def _as_the_net_sees(told: dict[str, Any], estimate: Estimate, at: int, rest: Tensor, seen: Tensor) -> dict[str, Any]:
    """Grain, and colours scaled to what the whole is said to have; so are tones, where that is what the net says."""
    if told["sigma"] is None:
        return {"colours": None, "grain": None}
    net = estimate.noise
    scale = told["sigma"] / max(255 * float(net.level[at]), FAINT)
    more: dict[str, Any] = {
        "colours": [scale * 255 * each for each in net.sigma[at, : len(rest)].tolist()],
        "grain": float(net.grain[at]),
    }
    if not estimate.white[at]:  # smoothed noise, of which the laplacian finds only a part
        part = max(255 * float(_inner(rest, seen).abs().median()) / NORMAL, FAINT)
        more["tones"] = [None if tone is None else tone * told["sigma"] / part for tone in told["tones"]]
    return more


def _told(sigma: float) -> float | None:
    return None if math.isnan(sigma) else 255 * sigma


def _rest(x: Images) -> Tensor:
    """What no smooth surface explains, (B, C, H, W): of white noise of sigma 1, it has sigma 1."""
    if min(x.shape[-2:]) < 3:
        return torch.zeros_like(x)
    inside = noise.laplacian_difference(x) / 6
    return functional.pad(inside, (1, 1, 1, 1))


def _by_tone(picture: Tensor, rest: Tensor, seen: Tensor) -> list[float | None]:
    """Noise (0–255) of pixels by the brightness of their neighbourhood, by the median: edges do not count."""
    if min(picture.shape[-2:]) < 3:
        return [None] * TONES
    size = _inner(rest, seen).abs()
    tone = (functional.avg_pool2d(picture[None], 3, 1)[0, 0] * TONES).long().clamp(max=TONES - 1)
    tone = tone[noise.wholly(seen[None], 3)[0]]
    told: list[float | None] = []
    for step in range(TONES):
        there: Any = size[:, tone == step].flatten()
        told.append(255 * float(there.median()) / NORMAL if there.numel() >= FEWEST * len(rest) else None)
    return told


def _inner(rest: Tensor, seen: Tensor) -> Tensor:
    """What is left (C, N) of the pixels about which all is seen."""
    return rest[:, 1:-1, 1:-1][:, noise.wholly(seen[None], 3)[0]]

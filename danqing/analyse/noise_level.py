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
from danqing.maths import noise
from danqing.maths.colour import brightness
from danqing.maths.opacity import opacity_of, unhidden, weights_of

TONES = 8  # steps from black to white whose noise is told apart
FEWEST = 200  # pixels that a tone must have
GAIN = 8.0  # times that the noise is shown
_ESTIMATORS = {"patches": noise.by_patches, "wavelet": noise.by_wavelets, "laplacian": noise.by_laplacians}


@operator
def noise_level(
    x: Images, method: Literal["patches", "wavelet", "laplacian"] = "patches", alpha: Mask | None = None
) -> Figures:
    """Estimate how strong the noise in pictures is, from nothing but the pictures.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        method: patches finds the directions in which small patches vary by noise alone, and is seldom misled by
            texture; wavelet and laplacian are faster and take fine texture for noise.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        For each picture ``sigma``, the standard deviation on the 0–255 scale (null for pictures too small to tell), and
        ``tones``: the same for eight steps from black to white (laplacian, in flat places; null where there are few),
        which rises in photographs of little light; and what is left when the picture is taken away, eight times
        enlarged about grey (B, C, H, W).

    Source: G. Chen et al. 2015 (patches); D. Donoho, I. Johnstone 1994 (wavelet); J. Immerkær 1996 (laplacian), as
    ``danqing.maths.noise`` has them.

    Examples:
        danqing noise_level photo.png --json
        danqing noise_level photo.png --method wavelet --out grain.png
    """
    opacity = opacity_of(x, alpha)
    seen, x = weights_of(x, opacity) > 0, unhidden(x, opacity)
    found = _ESTIMATORS[method](x, seen)
    rest = _rest(x) * seen[:, None]
    numbers = [
        {"sigma": _told(sigma), "tones": _by_tone(picture, left, there), "method": method}
        for sigma, picture, left, there in zip(found.tolist(), brightness(x), rest, seen, strict=True)
    ]
    return Figures(numbers, (0.5 + GAIN * rest).clamp(0, 1))


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
    tone = (functional.avg_pool2d(picture[None], 3, 1)[0, 0] * TONES).long().clamp(max=TONES - 1)
    size = rest[:, 1:-1, 1:-1].abs().square().mean(0).sqrt() if len(rest) == 1 else rest[:, 1:-1, 1:-1].abs()
    inside = noise.wholly(seen[None], 3)[0]
    told: list[float | None] = []
    for step in range(TONES):
        there: Any = size[..., (tone == step) & inside].flatten()
        told.append(255 * float(there.median()) / 0.67449 if there.numel() >= FEWEST * len(rest) else None)
    return told

"""The operator noise_level."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths import noise
from danqing.maths.colour import brightness
from danqing.nets.noise_estimate import measured
from danqing.nets.noise_estimate import noise_level as level_of

TONES = 8  # steps from black to white whose noise is told apart
FEWEST = 200  # pixels that a tone must have
PLACES = 4  # places of the net's map that a tone must have
GAIN = 8.0  # times that the noise is shown
_ESTIMATORS = {"patches": noise.by_patches, "wavelet": noise.by_wavelets, "laplacian": noise.by_laplacians}


@operator
def noise_level(x: Images, method: Literal["learned", "patches", "wavelet", "laplacian"] = "learned") -> Figures:
    """Estimate how strong the noise in pictures is, from nothing but the pictures.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        method: learned also finds the noise of cameras, which is not white: a net is believed where it sees clearly
            more than patches does. patches finds the directions in which small patches vary by noise alone, exact for
            white noise, and is seldom misled by texture; wavelet and laplacian are faster and take fine texture for
            noise.

    Returns:
        For each picture ``sigma``, the standard deviation on the 0–255 scale (null for pictures too small to tell), and
        ``tones``: the same for eight steps from black to white (null where there are few such pixels), which differ in
        photographs of little light; for learned also ``colours``, the same in red, green and blue, and ``grain``: how
        alike the noise of neighbouring pixels is, 0 for white noise and near 1 for coarse grain; and what is left when
        the picture is taken away, eight times enlarged about grey (B, C, H, W).

    Source: danqing.nets.noise_estimate (learned); G. Chen et al. 2015 (patches); D. Donoho, I. Johnstone 1994
    (wavelet); J. Immerkær 1996 (laplacian), as ``danqing.maths.noise`` has them; tones of the last three by laplacian,
    in flat places.

    Examples:
        danqing noise_level photo.png --json
        danqing noise_level photo.png --method wavelet --out grain.png
    """
    rest, light = _rest(x), brightness(x)
    if method == "learned":
        return Figures(_learned(x, light), (0.5 + GAIN * rest).clamp(0, 1))
    found = _ESTIMATORS[method](x)
    numbers = [
        {"sigma": _told(sigma), "tones": _by_tone(picture, left), "method": method}
        for sigma, picture, left in zip(found.tolist(), light, rest, strict=True)
    ]
    return Figures(numbers, (0.5 + GAIN * rest).clamp(0, 1))


def _learned(x: Images, light: Tensor) -> list[dict[str, Any]]:
    """The figures of the net, colours and tones scaled to what the whole picture is said to have."""
    found, levels = measured(x), level_of(x)
    numbers = []
    for at, level in enumerate(levels.tolist()):
        power = found.sigma[at].square()
        scale = 255 * level / max(float(power.mean().sqrt()), 1e-6)
        tone = functional.adaptive_avg_pool2d(light[at : at + 1], power.shape[-2:])[0, 0]
        numbers.append(
            {
                "sigma": 255 * level,
                "tones": [_rms(power[:, there], scale) for there in _tones(tone)],
                "colours": [scale * float(each.mean().sqrt()) for each in power[: x.shape[1]]],
                "grain": float(found.grain[at]),
                "method": "learned",
            }
        )
    return numbers


def _tones(light: Tensor) -> list[Tensor]:
    """Where the picture is in each step of brightness."""
    step = (light * TONES).long().clamp(max=TONES - 1)
    return [step == tone for tone in range(TONES)]


def _rms(power: Tensor, scale: float) -> float | None:
    return scale * float(power.mean().sqrt()) if power.shape[-1] >= PLACES else None


def _told(sigma: float) -> float | None:
    return None if math.isnan(sigma) else 255 * sigma


def _rest(x: Images) -> Tensor:
    """What no smooth surface explains, (B, C, H, W): of white noise of sigma 1, it has sigma 1."""
    if min(x.shape[-2:]) < 3:
        return torch.zeros_like(x)
    inside = noise.laplacian_difference(x) / 6
    return functional.pad(inside, (1, 1, 1, 1))


def _by_tone(picture: Tensor, rest: Tensor) -> list[float | None]:
    """Noise (0–255) of pixels by the brightness of their neighbourhood, by the median: edges do not count."""
    if min(picture.shape[-2:]) < 3:
        return [None] * TONES
    size = rest[:, 1:-1, 1:-1].abs().square().mean(0).sqrt() if len(rest) == 1 else rest[:, 1:-1, 1:-1].abs()
    told: list[float | None] = []
    for chosen in _tones(functional.avg_pool2d(picture[None], 3, 1)[0, 0]):
        there: Any = size[..., chosen].flatten()
        told.append(255 * float(there.median()) / 0.67449 if there.numel() >= FEWEST * len(rest) else None)
    return told

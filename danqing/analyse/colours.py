"""The operator colours."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness, to_oklab
from danqing.maths.opacity import opacity_of, weights_of

NAMES = ("red", "green", "blue")
FULL = 0.5 / 255  # within this of 0 or 1 a value is cut off
HEIGHT, WIDTH = 256, 512  # of the plot, px
# of OKLab, 30 degrees each, from 0
HUES = ("pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan", "azure", "blue", "violet", "magenta")
PLAIN = 0.01  # OKLab distance from grey under which no cast is seen


@operator
def colours(x: Images, count: Annotated[int, Range(2, 256, "bins")] = 32, alpha: Mask | None = None) -> Job[Figures]:
    """Measure the colours and tones of pictures: histograms, colourfulness, cast and contrast.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        count: bins of the histograms.
        alpha: opacity (B, 1, H, W), by default the pictures' own; each pixel counts as much as is seen of it.

    Returns:
        For each picture ``histogram`` (shares of pixels by value, for red, green and blue, or for grey), ``mean`` and
        ``spread`` (standard deviation) of each channel and ``brightness`` (its mean, its 1st, 50th and 99th percentile)
        on the 0–255 scale; ``clipped`` (shares of pixels with a channel at black and at white); ``entropy`` of
        brightness in bits; ``colourfulness`` (0 grey, 15 slightly, 45 averagely, 82 quite, 109 extremely colourful);
        ``cast``: the mean colour's ``strength`` (distance from grey in OKLab), ``direction`` in degrees and ``hue``, a
        word, null below 0.01; and the histograms drawn (B, C, 256, 512), white where all channels meet.

    Source: D. Hasler, S. Süsstrunk, "Measuring colourfulness in natural images", 2003, eq. 3; OKLab by B. Ottosson,
    2020; C. Shannon 1948.

    Examples:
        danqing colours photo.png --json
        danqing colours photo.png --count 64 --out histogram.png
    """
    weights = weights_of(x, opacity_of(x, alpha)).double()
    pairs = list(zip(x, weights, strict=True))
    histograms = [torch.stack([_histogram(plane, weight, count) for plane in picture]) for picture, weight in pairs]
    numbers = []
    for at, (pair, histogram) in enumerate(zip(pairs, histograms, strict=True)):
        yield Progress(at + 0.3, len(pairs), "histograms are counted")
        numbers.append(_measured(*pair, histogram))
    return Figures(numbers, torch.stack([_drawn(each) for each in histograms]).to(x))


def _histogram(plane: Tensor, weight: Tensor, count: int) -> Tensor:
    """Shares (count,), float64, of the pixels in equal bins of [0, 1]."""
    bins = (plane.flatten() * count).long().clamp(max=count - 1)
    return torch.bincount(bins, weight.flatten(), count) / weight.sum()


def _measured(picture: Tensor, weight: Tensor, histogram: Tensor) -> dict[str, Any]:
    names = NAMES if len(picture) == 3 else ("grey",)
    light = brightness(picture[None])[0, 0]
    mean, variance = _moments(picture, weight)
    return {
        "histogram": {name: shares.tolist() for name, shares in zip(names, histogram, strict=True)},
        "mean": dict(zip(names, (255 * mean).tolist(), strict=True)),
        "spread": dict(zip(names, (255 * variance.sqrt()).tolist(), strict=True)),
        "brightness": _tones(light, weight),
        "clipped": {
            "black": float(_moments((picture <= FULL).any(0), weight)[0]),
            "white": float(_moments((picture >= 1 - FULL).any(0), weight)[0]),
        },
        "entropy": _entropy(_histogram((light * 255).round() / 256, weight, 256)),
        "colourfulness": _colourfulness(255 * picture.double(), weight) if len(picture) == 3 else 0.0,
        "cast": _cast(picture, weight),
    }


def _moments(values: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (...), float64, over the pixels of values (..., H, W)."""
    values, share = values.double(), weight / weight.sum()
    mean = (values * share).sum((-2, -1))
    return mean, ((values - mean[..., None, None]).square() * share).sum((-2, -1))


def _tones(light: Tensor, weight: Tensor) -> dict[str, float]:
    """The mean, and the first values at or below which so much of the picture lies, on the 0–255 scale."""
    ranked, order = light.flatten().sort()
    below = weight.flatten()[order].cumsum(0)
    places = torch.searchsorted(below, below[-1] * torch.tensor([0.01, 0.5, 0.99]).double()).clamp(max=len(ranked) - 1)
    at = dict(zip(("1", "50", "99"), (255 * ranked[places].double()).tolist(), strict=True))
    return {"mean": 255 * float(_moments(light, weight)[0]), **at}


def _entropy(shares: Tensor) -> float:
    return -float(torch.xlogy(shares, shares).sum()) / math.log(2) + 0.0


def _colourfulness(rgb: Tensor, weight: Tensor) -> float:
    """Of colours (3, H, W) on the 0–255 scale."""
    red, green, blue = rgb
    mean, variance = _moments(torch.stack([red - green, (red + green) / 2 - blue]), weight)
    return float(variance.sum().sqrt() + 0.3 * mean.norm())


def _cast(picture: Tensor, weight: Tensor) -> dict[str, Any]:
    """The mean distance from grey; what is cut off at white tells nothing."""
    pixels, weights = picture.expand(3, -1, -1).flatten(1), weight.flatten()
    told = (pixels.amax(0) < 1 - FULL) & (weights > 0)
    lab, share = to_oklab(pixels[:, told].T.double()), weights[told, None]
    _, across, up = ((lab * share).sum(0) / share.sum()).tolist() if len(lab) else (0.0, 0.0, 0.0)
    strength = math.hypot(across, up)
    direction = math.degrees(math.atan2(up, across)) % 360 if strength > 1e-6 else 0.0
    hue = HUES[round(direction / 30) % 12] if strength >= PLAIN else None
    return {"strength": strength, "direction": direction, "hue": hue}


def _drawn(histogram: Tensor) -> Tensor:
    """The histograms (C, count) as filled curves of light on black, (C, HEIGHT, WIDTH); a tall spike is cut off."""
    ranked = histogram.flatten().sort().values
    top = min(float(ranked[-1]), 2 * float(ranked[round(0.98 * (len(ranked) - 1))])) or float(ranked[-1])
    columns = (torch.arange(WIDTH) * histogram.shape[1]) // WIDTH
    tall = (histogram[:, columns] / top * (HEIGHT - 8)).round()
    filled = torch.arange(HEIGHT, 0, -1)[None, :, None] <= tall[:, None]
    return 0.08 + 0.87 * filled.double()

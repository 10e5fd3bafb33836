"""The operator texture."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness, from_oklab
from danqing.maths.opacity import opacity_of, unhidden, weights_of

LEVELS = 32  # grey levels of the co-occurrence matrix
WAVELENGTHS = (3.0, 6.0, 12.0, 24.0)  # px, an octave apart
DIRECTIONS = 6  # 30 degrees each
POINTS = 8  # of a local binary pattern; POINTS + 2 patterns are uniform
MARGIN = 24  # px of mirrored border, so that opposite borders do not meet in the Fourier transform
Plane = np.ndarray[Any, np.dtype[Any]]


@operator
def texture(
    x: Images,
    radius: Annotated[int, Range(1, 32, "px")] = 1,
    view: Literal["direction", "patterns"] = "direction",
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Describe the texture of pictures: how rough it is, how regular, how coarse, and which way it runs.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; colour pictures are seen in their brightness.
        radius: how far apart pixels are compared, in co-occurrence and patterns; a distance beyond the picture
            counts for nothing.
        view: direction draws the way of the texture as a colour and its strength as brightness; patterns draws the
            local binary pattern of each pixel.
        alpha: opacity (B, 1, H, W), by default the pictures' own; each pixel counts as much as is seen of it, and in
            co-occurrence each pair of which both are.

    Returns:
        For each picture ``cooccurrence``: ``contrast``, ``homogeneity``, ``energy``, ``correlation`` and ``entropy``
        (bits) of 32 grey levels, averaged over four directions; ``patterns``: shares of the ten uniform local binary
        patterns, 0 bright spots … 4 straight edges … 8 flat and dark spots, 9 all others; ``gabor``: ``energy``, shares
        by wavelength (3, 6, 12, 24 px) and direction of the waves' crests (0, 30, … 150 degrees, counter-clockwise from
        horizontal), ``direction`` and ``strength`` of the dominant one (0 none, 1 all), ``wavelength`` (geometric mean,
        null where there is no texture); and the picture (B, 3, H, W).

    Source: R. Haralick et al., "Textural features for image classification", 1973; T. Ojala et al., "Multiresolution
    gray-scale and rotation invariant texture classification with local binary patterns", 2002; D. Field, "Relations
    between the statistics of natural images and the response properties of cortical cells", 1987 (log-Gabor).

    Examples:
        danqing texture cloth.png --json
        danqing texture cloth.png --view patterns --out patterns.png
    """
    opacity = opacity_of(x, alpha)
    weights, numbers = weights_of(x, opacity).cpu().double(), []
    maps: list[Tensor] = []
    for light, weight in zip(brightness(unhidden(x, opacity))[:, 0].cpu().double(), weights, strict=True):
        codes = _patterns(light.numpy(), radius)
        yield Progress(len(maps) + 0.2, len(x), "patterns are counted")
        waves = _waves(light)
        yield Progress(len(maps) + 0.6, len(x), "waves are measured")
        shares = np.bincount(codes.ravel(), weight.numpy().ravel(), POINTS + 2) / float(weight.sum())
        pairs = _cooccurrence(light.numpy(), weight.numpy() > 0, radius)
        numbers.append({"cooccurrence": pairs, "patterns": shares.tolist(), "gabor": _described(waves, weight)})
        maps.append((_drawn(waves) if view == "direction" else _codes_drawn(codes)) * weight)
    return Figures(numbers, torch.stack(maps).to(x))


def _patterns(light: Plane, radius: int) -> Plane:
    """The number of the uniform pattern (H, W) around each pixel: how many neighbours are at least as bright."""
    from skimage.feature import local_binary_pattern

    levels = np.rint(light * 255).astype(np.uint8)
    wide = np.pad(levels, radius + 1, mode="symmetric")  # beyond the border there is no black
    inside = (slice(radius + 1, -radius - 1),) * 2
    return local_binary_pattern(wide, POINTS, radius, "uniform")[inside].astype(np.intp)  # type: ignore[no-any-return]


def _cooccurrence(light: Plane, seen: Plane, radius: int) -> dict[str, float]:
    from skimage.feature import graycomatrix, graycoprops

    levels = np.where(seen, np.minimum((light * LEVELS).astype(np.uint8), LEVELS - 1), np.uint8(LEVELS))
    angles = [step * math.pi / 4 for step in range(4)]
    counts = graycomatrix(levels, [radius], angles, LEVELS + 1, symmetric=True)[:LEVELS, :LEVELS]
    there = counts[..., counts.sum((0, 1, 2)) > 0].astype(float)  # a narrow picture has no pairs across
    if not there.size:
        return dict.fromkeys(("contrast", "homogeneity", "energy", "correlation", "entropy"), 0.0)
    pairs = there / there.sum((0, 1), keepdims=True)
    names = ("contrast", "homogeneity", "energy", "correlation")
    told = {name: float(graycoprops(pairs, name).mean()) for name in names}
    bits = -(pairs * np.log2(np.where(pairs > 0, pairs, 1))).sum((0, 1)).mean()
    return {**told, "entropy": float(bits) + 0.0}


def _waves(light: Tensor) -> Tensor:
    """Local energy (scales, directions, H, W) of waves with these wavelengths and directions, by log-Gabor filters."""
    height, width = light.shape
    wide = torch.from_numpy(np.pad(light.numpy(), MARGIN, mode="symmetric")).float()
    spectrum = torch.fft.fft2(wide - wide.mean())
    down, across = (torch.fft.fftfreq(side) for side in wide.shape)
    frequency = torch.hypot(down[:, None], across[None]).clamp(min=1e-9)
    angle = torch.atan2(across[None], down[:, None])  # of the crests: a quarter turn from the wave's own
    out = torch.empty(len(WAVELENGTHS), DIRECTIONS, height, width, dtype=torch.float32)
    for scale, length in enumerate(WAVELENGTHS):
        radial = torch.exp(-((frequency * length).log() ** 2) / (2 * math.log(0.65) ** 2))
        for turn in range(DIRECTIONS):
            away = (angle - turn * math.pi / DIRECTIONS + math.pi) % (2 * math.pi) - math.pi
            answer = torch.fft.ifft2(spectrum * radial * torch.exp(-(away**2) / (2 * 0.35**2)))
            out[scale, turn] = answer[MARGIN : MARGIN + height, MARGIN : MARGIN + width].abs().square()
    return out


def _described(waves: Tensor, weight: Tensor) -> dict[str, Any]:
    energy = (waves.double() * weight).sum((2, 3)) / weight.sum()
    total = float(energy.sum())
    if total < 1e-10:
        shares = torch.zeros_like(energy).tolist()
        return {"energy": shares, "direction": 0.0, "strength": 0.0, "wavelength": None}
    across, up = _mean_direction(energy.sum(0))
    lengths = torch.tensor(WAVELENGTHS, dtype=torch.float64).log()
    return {
        "energy": (energy / total).tolist(),
        "direction": math.degrees(math.atan2(up, across)) / 2 % 180,
        "strength": math.hypot(across, up) / total,
        "wavelength": float((energy.sum(1) / total * lengths).sum().exp()),
    }


def _mean_direction(energy: Tensor) -> Any:
    """The sum of energies (directions, ...) as arrows at twice their angle, where 180 degrees are 0: (2, ...)."""
    turns = torch.arange(DIRECTIONS, dtype=energy.dtype) * 2 * math.pi / DIRECTIONS
    return torch.stack([torch.tensordot(part, energy, 1) for part in (turns.cos(), turns.sin())])


def _drawn(waves: Tensor) -> Tensor:
    """Directions as colours of one lightness, the stronger the brighter, (3, H, W)."""
    energy = waves.sum(0)
    across, up = _mean_direction(energy)
    whole = energy.sum(0)
    size = (whole / whole.amax().clamp(min=1e-6)) ** 0.25
    chroma = 0.16 * torch.stack([across, up]) / whole.clamp(min=1e-12) * size
    lab = torch.stack([0.95 * size, *chroma], -1)
    return from_oklab(lab).movedim(-1, 0)


def _codes_drawn(codes: Plane) -> Tensor:
    shown = torch.from_numpy(codes / (POINTS + 1)).float()
    return shown.expand(3, -1, -1).clone()

"""What a restorer is shown: for each task, damaged copies of clean pictures and a map of what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images, Mask
from danqing.maths import degradation, masks
from danqing.maths.colour import luma
from danqing.maths.messengers import messaged
from danqing.maths.shrinkage import shrunk
from danqing.maths.snapshots import grainy, handed_on, snapshots
from danqing.maths.variation import partly_grey, planes

Task = Literal["denoise", "deblur", "upscale", "inpaint", "colourise", "dejpeg", "lowlight"]
NOISIEST = 75 / 255
QUALITIES = (5.0, 95.0)
SCALES = (2, 3, 4)
TOLD = 0.5  # share of pictures whose strength of damage is told; for the others the map is zero
DOUBT = 0.08  # standard deviation of the logarithm of the noise level that is told: levels are estimates
CAMERA = 0.5  # share of noisy pictures whose noise is that of a camera
CAMERA_DOUBT = 0.25  # the same as DOUBT for those: their noise differs from place to place
LIT = 0.4  # brightness that photographs have in the mean, or nearly
MOST_GAIN = 16.0
MIXED = ("upscale", "deblur")  # tasks that can learn from pictures that are also noisy and compressed
KEPT = ("inpaint", "colourise")  # tasks that keep what is there, and so its noise
GREY = 0.15  # share of pictures learned as grey ones


class Damaged(NamedTuple):
    """What a net sees.

    Attributes:
        x: pictures (B, 3, H, W), as large as the clean ones.
        hint: (B, 1, H, W): what is known of the damage (see :func:`hint_of`); zero where nothing is.
        first: (B, 3, H, W): a first estimate of the clean pictures, where there is one (see :func:`first_estimate`).
    """

    x: Images
    hint: Tensor
    first: Images | None = None


def damage(task: Task, clean: Images, rng: Generator, mixed: bool = False) -> tuple[Images, Damaged]:
    """Spoil clean pictures (B, 3, H, W) as a task wants it; gives the clean pictures (some of them grey) and these.

    Strengths: noise σ of 75 u^1.5 (of 255), u uniform in 0…1, nine in ten clipped as files are, and σ told roughly;
    half of the noisy pictures are taken by a camera (:func:`danqing.maths.snapshots.snapshots`) instead, and the root
    mean square of their noise is told, more roughly; one in five of all others is a bit noisy in that way before its
    damage, and stays so where it is not for the net to clean (holes, colours);
    JPEG quality uniform in 5…95, as :func:`danqing.maths.messengers.messaged` writes it; defocus radius 0.5…4 px or
    motion of 3…17 px, under noise of σ 0…5; shrinking by 2, 3 or 4, four in five bicubic, else by areas; holes of 5…50
    % in strokes, boxes, text or scratches; light of 5…60 % with a gamma of 1…1.3 under noise of σ up to 0.02 in linear
    light, all brightened to the same mean; hints for colours at none to 40 places. Mixed damage (of ``MIXED`` tasks)
    is handed on besides (:func:`danqing.maths.snapshots.handed_on`), after it was blurred or shrunk.

    Source: danqing; the formulas are those of :mod:`danqing.maths.degradation` and :mod:`danqing.maths.masks`.
    """
    if task in KEPT:
        clean = grainy(clean, rng)
    if task != "colourise":
        grey = _uniform(len(clean), 0, 1, rng) < GREY
        clean = partly_grey(clean, grey)
        found = _SPOILERS[task](clean, rng, **({"mixed": True} if mixed else {}))
        x = torch.where(planes(grey, clean), found.x[:, :1].expand_as(clean), found.x)
        return clean, Damaged(x, found.hint, first_estimate(x, found.hint) if task == "denoise" else None)
    return clean, _colourless(clean, rng)


def hint_of(value: Tensor, like: Images) -> Tensor:
    """Spread one number a picture (B,) into a map: σ in image units, (100 - quality) / 100, or scale / 4."""
    return value.to(like).view(-1, 1, 1, 1).expand(len(like), 1, *like.shape[-2:])


def first_estimate(x: Images, hint: Tensor) -> Images:
    """What is left of noisy pictures (B, 3, H, W) when their cosine coefficients are shrunk, given their levels' map.

    Source: :mod:`danqing.maths.shrinkage`; equal channels have equal noise, which counts threefold in their sum.
    """
    grey = (x == x[:, :1]).flatten(1).all(1)
    return shrunk(x, hint[:, 0, 0, 0] * torch.where(grey, 3**0.5, 1.0))


def gain_for(x: Images, seen: Tensor | None = None) -> Tensor:
    """How many times (B,) dark pictures must be brightened for a common brightness in the mean, 1 to 16.

    Args:
        x: pictures (B, C, H, W).
        seen: which pixels count (B, H, W), bool; None: all.
    """
    grey = luma(x) if x.shape[1] == 3 else x
    mean = grey.mean((1, 2, 3)) if seen is None else (grey[:, 0] * seen).sum((1, 2)) / seen.sum((1, 2))
    return (LIT / mean.clamp(min=1e-6)).clamp(1, MOST_GAIN)


def lit(x: Images, gain: Tensor) -> Damaged:
    """Dark pictures (B, 3, H, W) brightened so many times (B,), not clipped, and how dark they were (1 / gain)."""
    return Damaged(x * gain.to(x).view(-1, 1, 1, 1), hint_of(1 / gain, x))


def filled(x: Images, mask: Mask) -> Images:
    """Fill holes smoothly with what surrounds them, coarse to fine; what is known stays.

    Source: S. J. Gortler et al., "The Lumigraph", 1996, section 3.4 (push–pull).
    """
    known = 1 - mask
    if min(x.shape[-2:]) == 1 or not bool((mask > 0).any()):
        return x * known + mask * _mean(x, known)
    weight = F.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False)
    small = F.avg_pool2d(x * known, 2, ceil_mode=True, count_include_pad=False) / weight.clamp(min=1e-6)
    coarse = filled(small * (weight > 0), (weight == 0).to(x))
    around = F.interpolate(coarse, size=x.shape[-2:], mode="bilinear", align_corners=False)
    return x * known + around * mask


def enlarged(x: Images, height: int, width: int) -> Images:
    """Enlarge pictures by bicubic interpolation (a = -1/2, as photo programs do), clipped to [0, 1]."""
    planes = F.interpolate(x, size=(height, width), mode="bicubic", antialias=True, align_corners=False)
    return planes.clamp(0, 1)


def _mean(x: Images, known: Mask) -> Tensor:
    total = known.sum((2, 3), keepdim=True).clamp(min=1)
    return (x * known).sum((2, 3), keepdim=True) / total


def _noisy(clean: Images, rng: Generator) -> Damaged:
    sigma = NOISIEST * _uniform(len(clean), 0, 1, rng) ** 1.5
    clip = bool(torch.rand((), generator=rng) < 0.9)
    x, doubt = degradation.gaussian_noise(clean, sigma, rng, clip), torch.full((len(clean),), DOUBT)
    taken = torch.rand(len(clean), generator=rng) < CAMERA
    if bool(taken.any()):
        x[taken], noise = snapshots(clean[taken], rng)
        sigma[taken], doubt[taken] = noise.square().mean((1, 2, 3)).sqrt().to(sigma), CAMERA_DOUBT
    level = sigma * torch.exp(doubt * torch.randn(len(clean), generator=rng))
    return Damaged(x, hint_of(level, clean))


def _compressed(clean: Images, rng: Generator) -> Damaged:
    quality = _uniform(len(clean), *QUALITIES, rng).round()
    return Damaged(messaged(grainy(clean, rng), quality, rng), _told(1 - quality / 100, clean, rng))


def _blurred(clean: Images, rng: Generator, mixed: bool = False) -> Damaged:
    count, sharp = len(clean), clean if mixed else grainy(clean, rng)
    if torch.rand((), generator=rng) < 0.5:
        x = degradation.defocus(sharp, _uniform(count, 0.5, 4, rng))
    else:
        x = degradation.motion(sharp, _uniform(count, 3, 17, rng), _uniform(count, 0, 180, rng))
    sigma = _uniform(count, 0, 5 / 255, rng)
    x = degradation.gaussian_noise(x, sigma, rng)
    return Damaged(handed_on(x, rng) if mixed else x, _told(sigma, clean, rng))


def _shrunk(clean: Images, rng: Generator, mixed: bool = False) -> Damaged:
    scale = SCALES[int(torch.randint(len(SCALES), (), generator=rng))]
    kind: degradation.Shrinking = "bicubic" if torch.rand((), generator=rng) < 0.8 else "area"
    small = (handed_on if mixed else grainy)(degradation.shrink(clean, scale, kind), rng)
    return Damaged(enlarged(small, *clean.shape[-2:]), hint_of(clean.new_full((len(clean),), scale / 4), clean))


def _holed(clean: Images, rng: Generator) -> Damaged:
    count, height, width = len(clean), *clean.shape[-2:]
    draw = (masks.free_form, masks.boxes, masks.text_mask, masks.scratch_lines)[
        int(torch.multinomial(torch.tensor([0.5, 0.1, 0.25, 0.15]), 1, generator=rng))
    ]
    most = 0.15 if draw is masks.scratch_lines else 0.5
    mask = draw(count, height, width, _uniform(count, 0.05, most, rng), rng).to(clean)
    return Damaged(filled(clean, mask), mask)


def _dark(clean: Images, rng: Generator) -> Damaged:
    count = len(clean)
    exposure = torch.exp(_uniform(count, -3.0, -0.5, rng))
    sigma = _uniform(count, 1e-4, 0.02, rng) * exposure
    x = degradation.low_light(grainy(clean, rng), exposure, _uniform(count, 1, 1.3, rng), sigma, rng)
    return lit(x, gain_for(x))


def _colourless(clean: Images, rng: Generator) -> Damaged:
    """Grey pictures, half of them with true colours at a few places."""
    count, height, width = len(clean), *clean.shape[-2:]
    places = torch.randint(1, 40, (count,), generator=rng) * (torch.rand(count, generator=rng) < 0.5)
    share = places.view(-1, 1, 1, 1) / (height * width)
    seeds = (torch.rand(count, 1, height, width, generator=rng) < share).to(clean)
    mask = F.max_pool2d(seeds, 3, 1, 1)
    return Damaged(torch.where(mask > 0, clean, luma(clean).expand_as(clean)), mask)


_SPOILERS: dict[Task, Callable[..., Damaged]] = {
    "denoise": _noisy,
    "deblur": _blurred,
    "upscale": _shrunk,
    "inpaint": _holed,
    "dejpeg": _compressed,
    "lowlight": _dark,
}


def _told(strength: Tensor, like: Images, rng: Generator) -> Tensor:
    known = torch.rand(len(strength), generator=rng) < TOLD
    return hint_of(strength * known.to(strength), like)


def _uniform(count: int, low: float, high: float, rng: Generator) -> Tensor:
    return torch.rand(count, generator=rng) * (high - low) + low

"""Photographs taken at random: what cameras, phones and messengers make of clean pictures."""

from __future__ import annotations

import math
from typing import NamedTuple, get_args

import torch
from torch import Generator, Tensor

from danqing.core.pictures.contract import Images
from danqing.maths.camera import MARGIN, Shot, photographed
from danqing.maths.colour import luma
from danqing.maths.demosaic import Demosaic
from danqing.maths.messengers import messaged

PHOTONS = (15.0, 6000.0)  # electrons that white is worth: ISO 500 to 200,000 of large pixels, 60 to 25,000 of a phone's
READ = (0.5, 6.0)  # electrons
LIGHT = (400.0, 6000.0)  # of photographs that are only a bit noisy
PHONES = 0.4  # share of photographs that a phone has smoothed
PLAIN = 0.15  # share whose pixels see all colours: scanners, cameras with three sensors
RESIZED = 0.3  # share that are shown smaller than they were taken
FILES = (0.25, 0.45, 0.3)  # shares that were no JPEG file, one, and two
GRAINY = 0.2  # share of photographs that are a bit noisy, where another damage is learned
ROUGH = (100.0, 6000.0)  # electrons that white is worth where photographs are handed on
TAKEN, SENT = 0.6, 0.6  # shares of these that are noisy, and that were written as files on the way
SENT_QUALITIES = (25.0, 95.0)


class Snapshot(NamedTuple):
    """A noisy photograph (B, 3, H, W), and the noise in it: how it differs from the same taken without noise."""

    x: Images
    noise: Tensor


def snapshots(clean: Images, rng: Generator, photons: tuple[float, float] = PHOTONS) -> Snapshot:
    """Take each of the pictures (B, 3, H, W) with a camera of its own; pictures without colour stay so.

    Source: danqing; the formulas are those of :mod:`danqing.maths.camera`.
    """
    x, noise = torch.empty_like(clean), torch.empty_like(clean)
    for at, picture in enumerate(clean.split(1)):
        shot = drawn(rng, photons)
        noisy, noiseless = photographed(picture, shot, rng), photographed(picture, shot.noiseless, rng)
        if bool((picture == picture[:, :1]).all()):
            noisy, noiseless = (luma(each).clamp(0, 1).expand_as(picture) for each in (noisy, noiseless))
        x[at], noise[at] = noisy[0], (noisy - noiseless)[0]
    return Snapshot(x, noise)


def grainy(clean: Images, rng: Generator) -> Images:
    """Make some of the pictures a bit noisy, as most photographs are that have another damage."""
    chosen = torch.rand(len(clean), generator=rng) < GRAINY
    if not bool(chosen.any()):
        return clean
    x = clean.clone()
    x[chosen] = snapshots(clean[chosen], rng, LIGHT).x
    return x


def handed_on(x: Images, rng: Generator) -> Images:
    """Make pictures (B, 3, H, W) what people have of them: most noisy, most written on the way, one in six neither."""
    taken, sent = torch.rand(2, len(x), generator=rng)
    noisy, written = taken < TAKEN, sent < SENT
    low, high = SENT_QUALITIES
    qualities = (low + (high - low) * torch.rand(len(x), generator=rng)).round()
    x = x.clone()
    x[noisy] = snapshots(x[noisy], rng, ROUGH).x
    x[written] = messaged(x[written], qualities[written], rng)
    return x


def drawn(rng: Generator, photons: tuple[float, float] = PHOTONS) -> Shot:
    """Draw a camera and its settings.

    Electrons at white, and those of the reading, are even on a logarithmic scale; one in five has rows with an error
    of their own, up to half of the reading's. White balance 1.2…2.4 in red and 1.2…2.2 in blue; filters overlap by up
    to 0.8; half have a tone curve, half are sharpened by up to 1.5, phones blur colours by 0.5…3 px and core detail
    below 0…0.03; sizes 1…2 times the shown; quality 60…98, one file in four without chroma subsampling.
    """
    sharp, phone, large = (_chance(rng, share) for share in (0.5, PHONES, RESIZED))
    files = int(torch.multinomial(torch.tensor(FILES), 1, generator=rng))
    read = _even(rng, *READ)
    across = get_args(Demosaic)
    return Shot(
        photons=_even(rng, *photons),
        read=read,
        rows=_between(rng, 0, 0.5) * read * _chance(rng, 0.2),
        gains=(_between(rng, 1.2, 2.4), _between(rng, 1.2, 2.2)),
        overlap=_between(rng, 0, 0.8),
        demosaic=None if _chance(rng, PLAIN) else across[int(torch.randint(len(across), (), generator=rng))],
        curve=_chance(rng, 0.5),
        chroma_blur=_between(rng, 0.5, 3) if phone else 0.0,
        coring=_between(rng, 0, 0.03) if phone else 0.0,
        sharpening=_between(rng, 0, 1.5) if sharp else 0.0,
        scale=_between(rng, 1, 2) if large else 1.0,
        qualities=tuple(round(_between(rng, 60, 98)) for _ in range(files)),
        chroma="4:4:4" if _chance(rng, 0.25) else "4:2:0",
        place=_place(rng),
        cut=_place(rng) if files > 1 else (0, 0),
    )


def _place(rng: Generator) -> tuple[int, int]:
    down, right = torch.randint(MARGIN, (2,), generator=rng).tolist()
    return down, right


def _chance(rng: Generator, share: float) -> bool:
    return bool(torch.rand((), generator=rng) < share)


def _between(rng: Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=rng))


def _even(rng: Generator, low: float, high: float) -> float:
    """Draw evenly on a logarithmic scale."""
    return math.exp(_between(rng, math.log(low), math.log(high)))

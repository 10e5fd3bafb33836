"""Augmentations for training: each picture a little different every time it is seen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.pictures.contract import Images
from danqing.data.geometry import moved

NONE = "none"
RESAMPLING = {"crop", "rotate", "affine"}
LUMA = (0.299, 0.587, 0.114)  # of Rec. 601


class Kind(NamedTuple):
    """One augmentation: the strength it has when none is given, the highest, and what the strength means."""

    default: float
    high: float
    words: str


KINDS = {
    "flip": Kind(0.5, 1, "chance of being mirrored left to right; never for digits or letters"),
    "crop": Kind(0.1, 0.9, "share of the side, at most, that is cut away; what is left fills the picture"),
    "rotate": Kind(10, 180, "degrees, at most, either way"),
    "affine": Kind(0.1, 0.5, "at most: shift in sides, growth and shear as shares, either way"),
    "jitter": Kind(0.2, 1, "at most: change of brightness, contrast and saturation as shares, either way"),
    "cutout": Kind(0.25, 1, "side of a hole, as a share of the picture's, filled with the picture's mean"),
    "noise": Kind(10, 255, "highest deviation of Gaussian noise, on the scale 0–255"),
}


@dataclass(frozen=True)
class Augment:
    """What is done to every batch; its text form is that of :func:`augmentations`.

    Attributes:
        strengths: of each augmentation that is on, in the order in which they are applied.
        mirrored: which of a thing's points each becomes in a mirror, as left eyes become right ones; empty: itself.
        black: whether it is black beyond the edge, where labels say what is where: what a mirror shows has none.
    """

    strengths: tuple[tuple[str, float], ...] = ()
    mirrored: tuple[int, ...] = ()
    black: bool = False

    def __str__(self) -> str:
        return ",".join(f"{name}={strength!r}".removesuffix(".0") for name, strength in self.strengths)

    def __bool__(self) -> bool:
        return bool(self.strengths)

    def __call__(self, samples: Samples, rng: Generator) -> Samples:
        """Change each picture of a batch, with what belongs to it, in its own way; randomness comes from ``rng``.

        Geometry comes first, all of it in one resampling, and moves picture, pair, mask, boxes and points alike. Then
        come colours, alike of picture and pair; then holes and noise in the picture alone, since the pair is what it
        should become.
        """
        on = dict(self.strengths)
        if not on:
            return samples
        steps = list(_matrices(samples.x, on, rng))
        resampled = bool(on.keys() & RESAMPLING)
        samples = moved(samples, steps, resampled=resampled, mirrored=self.mirrored, black=self.black)
        if "jitter" in on:
            samples = _jitter(samples, on["jitter"], rng)
        x = samples.x
        if "cutout" in on:
            x = _cut_out(x, on["cutout"], rng)
        if "noise" in on:
            sigma = _uniform(x, rng, 0, on["noise"] / 255).view(-1, 1, 1, 1)
            x = x + sigma * torch.randn(x.shape, generator=rng, device=rng.device).to(x.device)
        return samples._replace(x=x.clamp(0, 1))


def augmentations(text: str) -> Augment:
    """Read augmentations such as ``flip,rotate=10,jitter=0.2``; without a number each has its default strength.

    ``none`` is none at all.

    ========  =======  =========================================================================================
    name      default  strength
    ========  =======  =========================================================================================
    flip      0.5      chance of being mirrored left to right; never for digits or letters
    crop      0.1      share of the side, at most, that is cut away; what is left fills the picture
    rotate    10       degrees, at most, either way
    affine    0.1      at most: shift in sides, growth and shear as shares, either way
    jitter    0.2      at most: change of brightness, contrast and saturation as shares, either way
    cutout    0.25     side of a hole, as a share of the picture's, filled with the picture's mean
    noise     10       highest deviation of Gaussian noise, on the scale 0–255
    ========  =======  =========================================================================================

    Raises:
        ParameterError: for an unknown name, a strength out of range, or a name given twice.
    """
    found: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(",") if text.strip() != NONE)):
        name, _, number = (part.strip() for part in item.partition("="))
        if name not in KINDS:
            raise ParameterError(f"there is no augmentation {name!r}", where="augment", remedy=_known())
        if name in found:
            raise ParameterError(f"{name} is given twice", where="augment")
        found[name] = _strength(name, number) if "=" in item else KINDS[name].default
    return Augment(tuple((name, float(found[name])) for name in KINDS if name in found))


def _strength(name: str, number: str) -> float:
    kind = KINDS[name]
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 <= value <= kind.high:
        what = f"{number!r} is not a strength of {name}, a number from 0 to {kind.high:g}"
        raise ParameterError(what, where="augment", remedy=f"{name}: {kind.words}")
    return value


def _known() -> str:
    return "Known: " + ", ".join(f"{name}={kind.default:g}" for name, kind in KINDS.items())


def _matrices(x: Images, on: dict[str, float], rng: Generator) -> Iterator[Tensor]:
    """Where each place (3, 3), in -1…1, takes its colour from: the inverse of what is done to the picture."""
    one = x.new_ones(len(x))
    none = x.new_zeros(len(x))
    if "flip" in on:
        mirrored = torch.where(_uniform(x, rng, 0, 1) < on["flip"], -one, one)
        yield _matrix(mirrored, none, none, none, one, none)
    if "crop" in on:
        side = 1 - _uniform(x, rng, 0, on["crop"])
        right, down = ((1 - side) * _uniform(x, rng, -1, 1) for _ in range(2))
        yield _matrix(side, none, right, none, side, down)
    if "rotate" in on:
        angle = torch.deg2rad(_uniform(x, rng, -on["rotate"], on["rotate"]))
        yield _matrix(angle.cos(), -angle.sin(), none, angle.sin(), angle.cos(), none)
    if "affine" in on:
        most = on["affine"]
        right, down = (2 * _uniform(x, rng, -most, most) for _ in range(2))
        growth, shear = 1 + _uniform(x, rng, -most, most), _uniform(x, rng, -most, most)
        yield _matrix(1 / growth, shear, right, none, 1 / growth, down)


def _matrix(*six: Tensor) -> Tensor:
    top = torch.stack(six, 1).view(-1, 2, 3)
    return torch.cat([top, top.new_tensor([0, 0, 1]).expand(len(top), 1, 3)], 1)


def _jitter(samples: Samples, most: float, rng: Generator) -> Samples:
    x, pair = samples.x, samples.pair
    brightness, contrast, saturation = (_uniform(x, rng, 1 - most, 1 + most).view(-1, 1, 1, 1) for _ in range(3))
    mean = _saturated(x, saturation).mean((1, 2, 3), keepdim=True)

    def jittered(picture: Images) -> Images:
        return (brightness * (mean + contrast * (_saturated(picture, saturation) - mean))).clamp(0, 1)

    return samples._replace(x=jittered(x), pair=None if pair is None else jittered(pair))


def _saturated(x: Images, saturation: Tensor) -> Images:
    if x.shape[1] != 3:
        return x
    grey = (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return grey + saturation * (x - grey)


def _cut_out(x: Images, share: float, rng: Generator) -> Images:
    """Cover a square around a random place; at an edge less is covered.

    Source: T. DeVries and G. Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    """
    inside = []
    for axis, length in ((2, x.shape[2]), (3, x.shape[3])):
        centre = _uniform(x, rng, 0, length).view(-1, 1, 1, 1)
        at = torch.arange(length, device=x.device) + 0.5
        inside.append((at.view([-1 if axis == dim else 1 for dim in range(4)]) - centre).abs() < share * length / 2)
    return torch.where(inside[0] & inside[1], x.mean((1, 2, 3), keepdim=True), x)


def _uniform(x: Tensor, rng: Generator, low: float, high: float) -> Tensor:
    """One number a picture."""
    return torch.rand(len(x), generator=rng, device=rng.device).to(x.device) * (high - low) + low

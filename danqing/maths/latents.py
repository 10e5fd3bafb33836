"""Latents by number: which random point belongs to a seed and an index, and the way between two points."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from danqing.core.fields.start import Place
from danqing.core.learned.classes import class_names, class_number
from danqing.core.learned.kept import Latents
from danqing.core.learned.model import Painter

POINTS, CLASSES, STEPS = 0, 1, 2  # streams of one seed


def latent(shape: tuple[int, ...], seed: int, index: int) -> Tensor:
    """Draw the latent with a number: the same for a seed and an index, whatever else is drawn.

    The draw is the start of the Philox stream with key (seed, 0) and counter index · 2⁶⁴: streams of different indices
    never meet, and none has to be drawn to reach another.

    Args:
        shape: of the latent.
        seed: 0…2⁶³ − 1.
        index: 0…2⁶³ − 1.

    Returns:
        ``shape``, float32, from a unit Gaussian.

    Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3, section 3.3 (Philox).
    """
    return torch.from_numpy(_stream(seed, POINTS, index).standard_normal(shape, dtype=np.float32))


def random_class(classes: int, seed: int, index: int) -> int:
    """Draw the class that goes with :func:`latent`, 0…classes − 1, all equally likely, from the key (seed, 1).

    Source: danqing.
    """
    return int(_stream(seed, CLASSES, index).integers(classes))


def step(shape: tuple[int, ...], seed: int, index: int) -> Tensor:
    """Draw a step in latent space that goes with :func:`latent` and never is the same draw, from the key (seed, 2).

    Source: danqing.
    """
    return torch.from_numpy(_stream(seed, STEPS, index).standard_normal(shape, dtype=np.float32))


def numbered_codes(
    model: Painter, seed: int, numbers: range, label: str | None = None, truncation: float = 1.0
) -> Tensor:
    """The codes of the pictures that ``generate`` numbers so.

    Args:
        model: whose latent space.
        seed: as of ``generate``.
        numbers: which of its pictures.
        label: the class by name or number; None: of each as the seed draws it.
        truncation: how far from the centre they may be.

    Returns:
        (N, levels, numbers).

    Raises:
        ParameterError: for a label that the model does not know.
    """
    z = torch.stack([latent(model.latent, seed, number) for number in numbers])
    classes = len(class_names(model))
    if label is not None:
        chosen = [class_number(model, label)] * len(numbers)
    else:
        chosen = [random_class(classes, seed, number) for number in numbers] if classes else []
    with torch.no_grad():
        return model.codes(z, torch.tensor(chosen) if classes else None, truncation)


def starting_codes(model: Painter, start: Place | Latents) -> Tensor:
    """The codes to work from: those kept in a file, or that of one numbered picture.

    Returns:
        (N, levels, numbers).

    Raises:
        ParameterError: for latents of another model, or a label that the model does not know.
    """
    if isinstance(start, Latents):
        return start.check(model, "start")
    return numbered_codes(model, start.seed, range(start.number, start.number + 1), start.label)


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Go ``share`` of the way from one point to another along the sphere, where Gaussian latents lie.

    Args:
        a: the start, any shape, taken as one vector.
        b: the end, of the same shape.
        share: 0 (a) … 1 (b).

    Returns:
        as ``a``; on the straight line where the two directions are the same, or opposite and no arc is the shortest.

    Source: Shoemake 1985, Animating rotation with quaternion curves; White 2016, arXiv:1609.04468, section 2.1.
    """
    cosine = float(torch.nn.functional.cosine_similarity(a.flatten().double(), b.flatten().double(), dim=0))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if math.sin(angle) < 1e-4:
        return a * (1 - share) + b * share
    return (math.sin((1 - share) * angle) * a + math.sin(share * angle) * b) / math.sin(angle)


def _stream(seed: int, stream: int, index: int) -> np.random.Generator:
    key, counter = np.array([seed, stream], np.uint64), np.array([0, index, 0, 0], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))

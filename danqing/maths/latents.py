"""Latents by number: which random point and which class belong to a seed and an index."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from danqing.core.fields.start import Place
from danqing.core.learned.classes import ALL, class_names, class_number
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


def class_rule(
    model: Painter, seed: int, label: str | None = None, where: str = "label"
) -> Callable[[int], int] | None:
    """The rule that gives each numbered picture of a seed its class; None for a model without classes.

    Args:
        model: whose classes.
        seed: draws the classes.
        label: the one class of all by name or number; None: of each as the seed draws it.
        where: the parameter by which the label was said.

    Raises:
        ParameterError: for a label that the model does not know.
    """
    if label is not None:
        chosen = class_number(model, label, where=where)
        return lambda index: chosen
    classes = len(class_names(model))
    return (lambda index: random_class(classes, seed, index)) if classes else None


def class_rule_of_many(
    model: Painter, seed: int, label: str | None = None, where: str = "label"
) -> Callable[[int], int] | None:
    """As :func:`class_rule`, where there are many pictures: the label may also be all, one class after the other.

    A class that is itself called all is asked for by its number.
    """
    names = class_names(model)
    if label == ALL and names:
        return lambda index: index % len(names)
    return class_rule(model, seed, label, where)


def numbered_codes(
    model: Painter, seed: int, numbers: range, label: str | None = None, truncation: float = 1.0, where: str = "label"
) -> Tensor:
    """The codes of the pictures that ``generate`` numbers so.

    Args:
        model: whose latent space.
        seed: as of ``generate``.
        numbers: which of its pictures.
        label: the class by name or number; all: one after the other; None: of each as the seed draws it.
        truncation: how far from the centre they may be.
        where: the parameter by which the label was said.

    Returns:
        (N, levels, numbers).

    Raises:
        ParameterError: for a label that the model does not know.
    """
    z = torch.stack([latent(model.latent, seed, number) for number in numbers])
    rule = class_rule_of_many(model, seed, label, where)
    with torch.no_grad():
        return model.codes(z, None if rule is None else torch.tensor(list(map(rule, numbers))), truncation)


def starting_codes(model: Painter, start: Place | Latents) -> Tensor:
    """The codes to work from: those kept in a file, or that of one numbered picture.

    Returns:
        (N, levels, numbers).

    Raises:
        ParameterError: for latents of another model, or a label that the model does not know.
    """
    if isinstance(start, Latents):
        return start.check(model, "start")
    return numbered_codes(model, start.seed, range(start.number, start.number + 1), start.label, where="start")


def _stream(seed: int, stream: int, index: int) -> np.random.Generator:
    key, counter = np.array([seed, stream], np.uint64), np.array([0, index, 0, 0], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))

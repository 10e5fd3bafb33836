"""Painting new pictures."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_numbered
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.latents import class_rule_of_many, latent


@operator
def generate(
    weights: Painter,
    count: Annotated[int, Range(1, 65_536, "pictures")] = 16,
    seed: Seed = 0,
    label: Label | None = None,
    truncation: Annotated[float, Range(0, 1)] = 1.0,
) -> Job[Images]:
    """Paint new pictures with a trained model.

    Picture i of a seed is the same whatever ``count`` is. Truncation shrinks the random latents towards their mean:
    less variety, fewer failures. Where a mapping network makes styles of them, the styles are drawn to their mean.
    A class that is called all is asked for by its number, counted from 0.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        count: how many pictures to paint.
        seed: chooses the pictures; another seed paints others.
        label: the class to paint, by name or number; all: one after the other; left out: drawn by the seed.
        truncation: what the latents are multiplied by; 1: as learnt, 0: the mean picture (of each class).

    Returns:
        ``count`` pictures of the model's size and channels.

    Raises:
        ParameterError: for a label that the model does not know, or one given to an unconditional model.

    Source: Brock et al. 2019, arXiv:1809.11096, section 3.1, for trading variety against fidelity in the latents, there
    by redrawing; danqing for scaling, which moves a picture smoothly, and for numbering the latents.

    Examples:
        danqing generate emoji --count 9 --label all --out emoji.png
        danqing generate runs/dcgan-1 --count 64 --seed 7 --truncation 0.8 --out digits.png
    """
    drawn = partial(latent, weights.latent, seed)
    return (yield from paint_numbered(weights, count, drawn, class_rule_of_many(weights, seed, label), truncation))

"""Variations of one picture."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.fields.start import Place, Start
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.latents import starting_codes, step

FIRST = Place()


@operator
def more_like(
    weights: Painter,
    start: Start = FIRST,
    count: Annotated[int, Range(1, 65_536, "pictures")] = 16,
    distance: Annotated[float, Range(0, 1)] = 0.3,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint more pictures like this one.

    The first is the picture itself. The others lie around it in latent space: at ``distance`` 0 all are the same, at 1
    they have nothing in common with it but the class.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        start: the picture, as seed:number (a sheet of ``browse`` numbers them) or seed:number:class; or latents from
            ``project``, of several pictures each gets ``count`` variations.
        count: how many pictures, the first included.
        distance: how far from it the others are.
        seed: chooses the variations.

    Returns:
        ``count`` pictures of the model's size and channels for each picture to start from.

    Raises:
        ParameterError: for latents of another model, or a label that the model does not know.

    Source: White 2016, arXiv:1609.04468, section 2.1, for the way along the sphere; danqing.

    Examples:
        danqing more_like runs/dcgan-1 --start 7:12 --distance 0.25 --count 24 --out like-it.png
    """
    found: list[Tensor] = []
    for code in starting_codes(weights, start):
        found += [code, *_around(weights, code, count - 1, distance, seed)]
    return (yield from paint_coded(weights, torch.stack(found)))


def _around(model: Painter, code: Tensor, count: int, distance: float, seed: int) -> Tensor:
    """Codes at a distance from one, of its classes."""
    z = torch.stack([step(model.latent, seed, number) for number in range(max(count, 1))])
    weights = code[:, code.shape[1] - model.weighs :]
    classes = int(model.config["classes"])
    every = torch.arange(len(z)) % classes if classes else None
    label = every if model.mapped else model.label_of(weights[None].expand(len(z), -1, -1))
    with torch.no_grad():
        away = model.mapping(z, label)
        if model.mapped:  # the class is in the style: go as others of all classes differ from their mean
            away = code + away - away.mean(0)
    away = torch.cat([away, weights.expand(len(z), -1, -1)], 2)
    return model.on_the_way(code.expand_as(away), away, torch.tensor(distance))[:count]

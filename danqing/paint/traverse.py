"""Moving a picture along the coordinates of its latent."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.label import Label
from danqing.core.fields.moves import Moves
from danqing.core.fields.number import Range
from danqing.core.fields.seed import LARGEST, Seed
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_numbered
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.latents import class_rule, latent


@operator(version=2)
def traverse(
    weights: Painter,
    moves: Moves = (0.0,),
    seed: Seed = 0,
    index: Annotated[int, Range(0, LARGEST)] = 0,
    label: Label | None = None,
    truncation: Annotated[float, Range(0, 1)] = 1.0,
) -> Job[Images]:
    """Paint a picture, and move it by sliders through the latent space.

    Each move is added to one coordinate of the latent, the first to the first. Latents are drawn from a unit Gaussian,
    so moves beyond 3 lead to where the model has hardly learned anything.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        moves: what is added to the first coordinates of the latent; the others stay.
        seed: chooses the picture that is moved.
        index: which picture of the seed, as ``generate`` numbers them from 0.
        label: the class to paint, by name or number; left out: drawn by the seed.
        truncation: what the latent is multiplied by before it is moved; 0: the mean picture. Where a mapping network
            makes styles of latents: how far that of the moved latent may be from the mean style.

    Returns:
        one picture of the model's size and channels.

    Raises:
        ParameterError: for more moves than the latent has coordinates, or a label that the model does not know.

    Source: Higgins et al. 2017, beta-VAE, section 4 (latent traversals).

    Examples:
        danqing traverse runs/vae-1 --moves 1.5,0,-2 --seed 7 --out moved.png
    """
    of_latent, of_style = (1.0, truncation) if weights.mapped else (truncation, 1.0)
    point = _moved(latent(weights.latent, seed, index) * of_latent, moves)
    rule = class_rule(weights, seed, label)
    label_of = None if rule is None else lambda _: rule(index)
    return (yield from paint_numbered(weights, 1, lambda _: point, label_of, of_style))


def _moved(point: Tensor, moves: tuple[float, ...]) -> Tensor:
    if len(moves) > point.numel():
        what = f"there are {len(moves)} moves, and the latents of this model have {point.numel()} coordinates"
        raise ParameterError(what, where="moves")
    by = torch.zeros(point.numel())
    by[: len(moves)] = torch.tensor(moves)
    return point + by.view(point.shape)

"""From one real picture to another."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.artefacts.film import Film, Reel
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.painting import Autoencoder
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator
def morph(
    x: Images,
    y: Images,
    weights: Autoencoder,
    frames: Annotated[int, Range(2, 10_000)] = 48,
) -> Film:
    """Turn one picture into another through a model's latent space.

    Args:
        x: pictures to start from, of any size.
        y: pictures to arrive at, one or as many as there are in ``x``; of any size.
        weights: a trained vae or codec: a run folder or a .safetensors file.
        frames: how many frames the film has, start and end included.

    Returns:
        frames at 24 a second, of the model's size and channels; the films of several pairs one after the other.

    Raises:
        ParameterError: if there are neither one nor as many pictures in ``y`` as in ``x``.

    Source: Kingma & Welling 2014, arXiv:1312.6114, for the latents; danqing for the straight way between them.

    Examples:
        danqing morph three.png eight.png --weights runs/vae-1 --out morph.gif
    """
    if len(y) not in (1, len(x)):
        raise ParameterError(f"{len(y)} pictures cannot be paired with {len(x)}", where="y")
    shares = torch.linspace(0, 1, frames)
    pairs = list(zip(x.split(1), y.expand(len(x), -1, -1, -1).split(1), strict=True))
    return Film(Reel(lambda: (_between(weights, *pair, shares) for pair in pairs)), count=frames * len(x))


@torch.no_grad()
def _between(weights: Autoencoder, one: Images, other: Images, shares: torch.Tensor) -> Images:
    return weights.between(one, other, shares).float()

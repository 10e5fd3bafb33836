"""From one real picture to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.artefacts.film import Film, Reel
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter, PictureSpace
from danqing.core.learned.painting import Autoencoder, coded_by_chunks, paint_coded
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.fitting import fit
from danqing.maths.projection import note_missed, projected, unexplained


@operator(version=5)
def morph(
    x: Images,
    y: Images,
    weights: PictureSpace,
    frames: Annotated[int, Range(2, 10_000)] = 48,
    steps: Annotated[int, Range(0, 10_000)] | None = None,
    seed: Seed = 0,
) -> Job[Film]:
    """Turn one picture into another through a model's latent space.

    The film begins and ends with what the model makes of the two. A vae or codec writes them down at once; in the
    latent space of any other generator they are looked for, as by ``project``, and a note tells which were not found.

    Args:
        x: pictures to start from, of any size.
        y: pictures to arrive at, one or as many as there are in ``x``; of any size.
        weights: a trained generator, vae or codec: a run folder, a .safetensors file, or the name of bundled weights.
        frames: how many frames the film has, start and end included.
        steps: of the search, where there is no encoder; 0 takes the nearest sample, or where a flow's way back leads;
            left out: 0 for a flow, 200 for others.
        seed: chooses the samples that the search begins with.

    Returns:
        A job with frames at 24 a second, of the model's size and channels; the films of several pairs one after the
        other.

    Raises:
        ParameterError: if there are neither one nor as many pictures in ``y`` as in ``x``.

    Source: Kingma & Welling 2014, arXiv:1312.6114, for the latents; Zhu et al. 2016, arXiv:1609.03552, section 3.2, for
    those that no encoder says; danqing for the way between them.

    Examples:
        danqing morph three.png eight.png --weights handwritten-digits --out morph.gif
    """
    if len(y) not in (1, len(x)):
        raise ParameterError(f"{len(y)} pictures cannot be paired with {len(x)}", where="y")
    shares = torch.linspace(0, 1, frames)
    if isinstance(weights, Autoencoder):
        pairs = list(zip(x.split(1), y.expand(len(x), -1, -1, -1).split(1), strict=True))
        return Film(Reel(lambda: (_between(weights, *pair, shares) for pair in pairs)), count=frames * len(x))
    assert isinstance(weights, Painter)
    return (yield from _searched(weights, x, y, shares, steps, seed))


@torch.no_grad()
def _between(weights: Autoencoder, one: Images, other: Images, shares: Tensor) -> Images:
    return weights.between(one, other, shares).float()


def _searched(weights: Painter, x: Images, y: Images, shares: Tensor, steps: int | None, seed: int) -> Job[Film]:
    """The films between places that are looked for; what is the same for all pairs is looked for once."""
    target = torch.cat([fit(each, weights.config["size"], weights.config["channels"]) for each in (x, y)])
    found = yield from projected(weights, target, None, steps, seed)
    painted = yield from paint_coded(weights, found.codes)
    note_missed([unexplained(*each) for each in zip(target, painted, strict=True)], found.kin)
    one, other = found.codes[: len(x)], found.codes[len(x) :].expand(len(x), -1, -1)
    frames = len(shares)

    def codes(numbers: Sequence[int]) -> Tensor:
        pairs = [number // frames for number in numbers]
        steps = shares[[number % frames for number in numbers]].view(-1, 1, 1)
        return weights.on_the_way(one[pairs], other[pairs], steps)

    return Film(Reel(lambda: coded_by_chunks(weights, frames * len(x), codes)), count=frames * len(x))

"""A walk through what a model can paint."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from danqing.core.artefacts.film import Film, Reel
from danqing.core.errors import ParameterError
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import LARGEST, Seed
from danqing.core.learned.latent_space import arc
from danqing.core.learned.model import Painter
from danqing.core.learned.numbered import SHOWN, numbered
from danqing.core.learned.painting import painted_by_chunks
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.maths.latents import class_rule, latent


@operator(version=2)
def interpolate(
    weights: Painter,
    seed: Seed = 0,
    to: str = "1",
    frames: Annotated[int, Range(2, 10_000)] = 72,
    label: Label | None = None,
    truncation: Annotated[float, Range(0, 1)] = 1.0,
) -> Film:
    """Paint the way from one seed's picture to those of others.

    The film starts at the first picture that ``generate`` paints from ``seed`` and goes through those of the seeds in
    ``to``, along arcs in latent space; end on ``seed`` again for a film that can be looped.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        seed: the picture at the start.
        to: the seeds of the pictures to go through, in order, such as 5 or 5,9,0.
        frames: how many frames the whole film has, start and end included.
        label: the class to paint, by name or number; left out: the class of the first picture.
        truncation: how far from the mean picture it may go, as of ``generate``; 1: as learnt, 0: not at all.

    Returns:
        frames at 24 a second.

    Raises:
        ParameterError: for seeds that are no whole numbers, or a label that the model does not know.

    Source: White 2016, arXiv:1609.04468, section 2.1 (spherical interpolation).

    Examples:
        danqing interpolate runs/dcgan-1 --seed 0 --to 1,2,0 --frames 96 --label 3 --out walk.webp
    """
    points = [latent(weights.latent, each, 0) for each in (seed, *_seeds(to))]
    if frames < len(points):
        note(f"{frames} frames cannot show all {len(points)} pictures on the way: give --frames {len(points)} or more")
    rule = class_rule(weights, seed, label)
    label_of = None if rule is None else lambda _: rule(0)

    def drawn(frame: int) -> Tensor:
        return _on_the_way(points, min(frame, frames - 1) / (frames - 1))

    return Film(Reel(lambda: painted_by_chunks(weights, frames, drawn, label_of, truncation)), count=frames)


def _seeds(text: str) -> list[int]:
    seeds = [numbered(word.strip(), LARGEST + 1) for word in text.split(",")]
    known = [seed for seed in seeds if seed is not None]
    if len(known) < len(seeds):
        raise ParameterError(f"{text[:SHOWN]!r} is not a list of seeds", where="to", remedy="Say 5, or 5,9,0")
    return known


def _on_the_way(points: list[Tensor], share: float) -> Tensor:
    """The point at a share of a way of equally long legs."""
    place = share * (len(points) - 1)
    leg = min(int(place), len(points) - 2)
    one, other = (point.flatten().double() for point in points[leg : leg + 2])
    return arc(one, other, one.new_tensor(place - leg), len(one)).float().view(points[0].shape)

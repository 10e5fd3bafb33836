"""One picture as each of several classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.artefacts.film import Film, Reel
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.classes import ALL, class_names, class_number
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import coded_by_chunks
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.maths.latents import latent


@operator
def morph_classes(
    weights: Painter,
    labels: str = ALL,
    seed: Seed = 0,
    frames: Annotated[int, Range(2, 10_000)] = 120,
    closed: bool = True,
) -> Film:
    """Turn a picture of one class into that of another, the latent staying what it is.

    Args:
        weights: a trained generator with classes: a run folder or a .safetensors file.
        labels: the classes to go through, by name or number, between commas; all: every one in order.
        seed: chooses the latent.
        frames: how many frames the whole film has.
        closed: come back to the first class, so that the film can be looped.

    Returns:
        frames at 24 a second.

    Raises:
        ParameterError: for a model without classes, a class that it does not know, or fewer than two of them.

    Source: Brock et al. 2019, arXiv:1809.11096, figure 8 (interpolation between classes).

    Examples:
        danqing morph_classes runs/dcgan-1 --labels 3,8,0 --seed 5 --out morph.webp
    """
    if not weights.config["classes"]:
        remedy = "Take one that was trained on pictures with classes"
        raise ParameterError("this model is unconditional: it knows no classes", where="weights", remedy=remedy)
    names = class_names(weights)
    given = names if labels == ALL and names else [each.strip() for each in labels.split(",")]
    numbers = [class_number(weights, each, where="labels") for each in given]
    if len(set(numbers)) < 2:
        raise ParameterError("one class turns into nothing", where="labels", remedy="Name two or more, or all")
    if frames < len(numbers):
        note(f"{frames} frames cannot show all {len(numbers)} classes on the way: give --frames {len(numbers)} or more")
    device = next(weights.parameters()).device
    z = latent(weights.latent, seed, 0).to(device).expand(len(numbers), *weights.latent)
    with torch.no_grad():
        stops = weights.codes(z, torch.tensor(numbers, device=device))
    stops = torch.cat([stops, stops[:1]]) if closed else stops

    def codes(numbers: Sequence[int]) -> Tensor:
        places = [frame / (frames if closed else frames - 1) * (len(stops) - 1) for frame in numbers]
        legs = [min(int(place), len(stops) - 2) for place in places]
        shares = stops.new_tensor([place - leg for place, leg in zip(places, legs, strict=True)])
        return weights.on_the_way(stops[legs], stops[1:][legs], shares.view(-1, 1, 1))

    return Film(Reel(lambda: coded_by_chunks(weights, frames, codes)), count=frames)

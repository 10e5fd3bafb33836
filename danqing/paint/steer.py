"""Pictures moved along directions that have names."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.along import Along
from danqing.core.fields.number import Range
from danqing.core.fields.start import Place, Start
from danqing.core.learned.kept import Directions
from danqing.core.learned.model import Painter
from danqing.core.learned.numbered import SHOWN, numbered
from danqing.core.learned.painting import paint_coded
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.latents import starting_codes

ALL = "all"
STRONGEST = 20.0  # factor of one direction, and of all
FIRST = Place()


@operator
def steer(
    weights: Painter,
    directions: Directions,
    along: Along = "1",
    strength: Annotated[float, Range(-STRONGEST, STRONGEST)] = 2.0,
    start: Start = FIRST,
    steps: Annotated[int, Range(1, 1024, "pictures")] = 1,
) -> Job[Images]:
    """Change a picture along directions that were found and named before.

    Args:
        weights: the generator in which the directions were found.
        directions: a file from ``find_directions``.
        along: which of them, by name or number, with a factor where it is not 1, between commas: slant=1.5,weight=-1.
            What is said behind an @ limits it to levels, coarse to fine: slant@0-2=1.5.
        strength: what all are multiplied by; 1 is how far pictures usually differ along a direction.
        start: the picture, as seed:number (a sheet of ``browse`` numbers them) or seed:number:class; or latents from
            ``project``, of one picture or several.
        steps: more than 1: so many pictures of each, from the negative strength to the positive one.

    Returns:
        pictures of the model's size and channels, ``steps`` of each.

    Raises:
        ParameterError: for directions or latents of another model, names or levels that are not there.

    Source: Shen & Zhou 2021, arXiv:2007.06600, eq. 1.

    Examples:
        danqing steer runs/dcgan-1 --directions mine.directions --along slant=1.5 --start 7:12 --out slanted.png
    """
    directions.check(weights, "directions")
    move = _sum(directions, along, weights.levels)
    codes = starting_codes(weights, start)
    strengths = torch.linspace(-strength, strength, steps) if steps > 1 else torch.tensor([strength])
    moved = codes[:, None] + strengths[:, None, None] * move
    return (yield from paint_coded(weights, moved.flatten(0, 1)))


def _sum(directions: Directions, along: str, levels: int) -> Tensor:
    """The directions that are named, each times its factor, added up."""
    whole = torch.zeros_like(directions.tensor[0])
    for part in along.split(","):
        told, _, factor = (each.strip() for each in part.partition("="))
        name, at, some = (told, "", "") if told in directions.names else told.partition("@")
        try:
            times = float(factor or 1)
        except ValueError:
            times = math.nan
        if not abs(times) <= STRONGEST:
            what = f"{factor[:SHOWN]!r} is no factor in −{STRONGEST:g}…{STRONGEST:g}"
            raise ParameterError(what, where="along", remedy="Say slant=1.5, or slant=1.5,weight=-1")
        moved = _of_levels(some if at else ALL, levels)[:, None]
        whole = whole + times * moved * directions.named(name)
    return whole


def _of_levels(text: str, count: int) -> Tensor:
    """Which levels are meant: (count,), 1 for yes."""
    first, dash, last = ("0", "-", str(count - 1)) if text == ALL else text.strip().partition("-")
    ends = first.strip(), (last if dash else first).strip()
    low, high = (numbered(each, count) for each in ends)
    if low is None or high is None or low > high:
        what = f"{text[:SHOWN]!r} are no levels of this model"
        raise ParameterError(what, where="along", remedy=f"It has 0 to {count - 1}; say @0 or @0-{count - 1}")
    numbers = torch.arange(count)
    return ((numbers >= low) & (numbers <= high)).float()

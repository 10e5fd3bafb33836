"""The outline of one picture with the manner of another."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job
from danqing.maths.latents import numbered_codes


@operator(version=2)
def mix_styles(
    weights: Painter,
    seed: Seed = 0,
    manner: Seed = 1,
    rows: Annotated[int, Range(1, 64, "pictures")] = 4,
    columns: Annotated[int, Range(1, 64, "pictures")] = 6,
    level: Annotated[int, Range(1, 64)] | None = None,
) -> Job[Images]:
    """Paint pictures whose coarse levels come from one picture and whose fine levels come from another.

    The sheet has the pictures of ``seed`` down its left side and those of ``manner`` along its top; where a row and a
    column meet stands the row's picture up to ``level`` and the column's from there on. In a stylegan coarse levels
    are pose and outline, fine ones colour and stroke. In a flow they are the bands of frequencies of the noise that
    becomes the picture, and the class is the column's: what the row tells is where something is, how large and how
    dark. In a dcgan the classes of the finer levels are exchanged.

    Args:
        weights: a trained generator whose codes enter at several levels.
        seed: the pictures that give the coarse levels.
        manner: the pictures that give the fine levels.
        rows: how many of the former.
        columns: how many of the latter.
        level: the first fine level, counted from 0, the coarsest; left out: the one in the middle.

    Returns:
        one sheet.

    Raises:
        ParameterError: if the model has no such level.

    Source: Karras et al. 2019, arXiv:1812.04948, section 3.1 and figure 3; danqing for the bands of a flow's noise.

    Examples:
        danqing mix_styles calligraphy --seed 3 --manner 8 --level 3 --out mixed.png
        danqing mix_styles runs/stylegan-1 --seed 3 --manner 8 --level 4 --out mixed.png
    """
    levels = weights.blends
    if levels == 1:
        raise ParameterError(
            f"what this {weights.family} paints from does not fall into levels",
            where="weights",
            remedy="Take a stylegan, a flow, or a dcgan with classes",
        )
    first = (levels + 1) // 2 if level is None else level
    if first >= levels:
        what = f"this {weights.family} has {levels} levels, 0 to {levels - 1}: {first} is none"
        raise ParameterError(what, where="level", remedy=f"Say 1 to {levels - 1}")
    if weights.weighs and weights.levels > 1:
        note(f"of a {weights.family}, finer levels hold nothing but the class: columns give their classes alone")
    down = numbered_codes(weights, seed, range(rows))
    along = numbered_codes(weights, manner, range(columns))
    mixed = weights.blended(down[:, None], along[None], first)  # (rows, columns, levels, numbers)
    painted = yield from paint_coded(weights, torch.cat([along, down, mixed.flatten(0, 1)]))
    top, left, inner = painted.split([columns, rows, rows * columns])
    lines = [torch.cat([torch.ones_like(left[:1]), top])]
    lines += [torch.cat([left[row : row + 1], inner[row * columns :][:columns]]) for row in range(rows)]
    return contact_sheet(torch.cat(lines), columns + 1)

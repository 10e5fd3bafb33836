"""The operator cell_pattern."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.procedural import cells


@operator
def cell_pattern(
    width: Annotated[int, Range(8, 8192, "px")] = 512,
    height: Annotated[int, Range(8, 8192, "px")] = 512,
    kind: Literal["voronoi", "worley", "cracks"] = "voronoi",
    count: Annotated[int, Range(2, 100_000, "cells")] = 80,
    tileable: bool = False,
    seed: Seed = 0,
) -> Images:
    """Paint cells by rule: coloured (Voronoi), as pebbles (Worley noise) or as dry earth (cracks).

    Args:
        width: of the picture.
        height: of the picture.
        kind: "voronoi" gives each cell a colour, "worley" shows the distance to its middle, "cracks" that to its edge.
        count: how many cells.
        tileable: whether opposite edges meet.
        seed: another one paints another picture.

    Returns:
        one picture, in colour for "voronoi", grey otherwise.

    Source: Worley 1996, "A cellular texture basis function": F1, and F2 - F1.

    Examples:
        danqing cell_pattern --kind cracks --count 200 --tileable --out earth.png
    """
    rng = np.random.default_rng(seed)
    distance, nearest = cells(height, width, count, rng, tileable)
    if kind == "voronoi":
        made = rng.uniform(0.1, 0.95, (count, 3))[nearest].transpose(2, 0, 1)
    else:
        usual = (width * height / count) ** 0.5
        plane = 1 - distance[..., 0] / usual if kind == "worley" else (distance[..., 1] - distance[..., 0]) / usual * 2
        made = plane[None]
    return torch.from_numpy(np.ascontiguousarray(made.clip(0, 1), np.float32))[None]

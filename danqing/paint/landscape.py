"""The operator landscape."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.procedural import fractal
from danqing.maths.terrain import coloured
from danqing.maths.vista import seen

SIDE = 1024  # of the surface that is looked over
CLOUDY = 0.45  # roughness of clouds


@operator(version=2)
def landscape(
    width: Annotated[int, Range(16, 4096, "px")] = 768,
    height: Annotated[int, Range(16, 4096, "px")] = 512,
    view: Literal["eye", "map", "heights"] = "eye",
    roughness: Annotated[float, Range(0, 1)] = 0.25,
    water: Annotated[float, Range(0, 1)] = 0.42,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint a fractal landscape by rule, as a person sees it or as a map; maps can be tiled.

    Args:
        width: of the picture.
        height: of the picture.
        view: "eye" looks over the land, "map" shows it from above, lit by the sun, "heights" is the grey relief; the
            last two are cut from a square whose opposite edges meet.
        roughness: from smooth hills (0) to crags (1).
        water: how high the sea stands.
        seed: another one paints another land.

    Returns:
        A job with one picture, grey for "heights".

    Source: Voss 1985, "Random fractal forgeries".

    Examples:
        danqing landscape --seed 11 --water 0.5 --out coast.png
    """
    side = SIDE if view == "eye" else max(width, height)
    rng = np.random.default_rng(seed)
    surface = fractal(side, roughness, rng)
    if view == "heights":
        made = surface[:height, :width, None]
    elif view == "map":
        made = coloured(surface, water)[:height, :width]
    else:
        made = yield from seen(surface, water, height, width, fractal(side, CLOUDY, rng))
    return torch.from_numpy(np.ascontiguousarray(made.transpose(2, 0, 1), np.float32).clip(0, 1))[None]

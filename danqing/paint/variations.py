"""The operator variations."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from numpy.random import Generator

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.each_regrown import each_regrown
from danqing.maths.regrowing import Plane, levels_of, resized, shape_at


@operator(geometry=True, together=True, version=4)
def variations(
    x: Images,
    strength: Annotated[float, Range(0, 5)] = 2.0,
    radius: Annotated[int, Range(1, 8, "px")] = 3,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint another picture like one, its parts arranged otherwise.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; each is varied by itself.
        strength: how much chance, against the picture's own contrast, the coarsest arrangement begins with; 0: none.
        radius: how far a patch reaches from its middle.
        seed: another one paints others.

    Returns:
        A job with a variation of each picture, (B, C, H, W).

    Raises:
        ParameterError: if a picture is smaller than 16 px.

    Source: Granot et al. 2022, "Drop the GAN", section 3.1, as ``danqing.maths.regrowing`` has it.

    Examples:
        danqing variations balloons.jpg --seed 4 --out balloons.png
    """
    begun = partial(_disturbed, strength=strength)
    return (yield from each_regrown(x, begun, (x.shape[2], x.shape[3]), radius, seed))


def _disturbed(item: int, source: Plane, rng: Generator, strength: float) -> list[Plane]:
    """The coarsest level under noise."""
    coarse = resized(source, shape_at(source.shape[:2], levels_of(source.shape[:2])[-1]))
    noise = rng.standard_normal(coarse.shape[:2])[..., None] * coarse.std((0, 1)) * strength
    return [(coarse + noise).astype(np.float32)]

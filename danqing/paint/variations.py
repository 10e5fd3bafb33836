"""The operator variations."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, shared
from danqing.maths.regrowing import levels_of, regrown, resized, shape_at

SMALLEST = 16  # px


@operator
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
    if min(x.shape[2:]) < SMALLEST:
        raise ParameterError(f"is smaller than {SMALLEST} px", where="x", remedy="Give a larger picture")
    made = []
    for item in range(len(x)):
        source = x[item].permute(1, 2, 0).numpy()
        shape = source.shape[:2]
        coarse = resized(source, shape_at(shape, levels_of(shape)[-1]))
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal(coarse.shape[:2])[..., None] * coarse.std((0, 1)) * strength
        job = regrown(source, [(coarse + noise).astype(np.float32)], (shape[0], shape[1]), False, radius, rng)
        made.append(torch.from_numpy((yield from shared(job, item, 1, total=len(x)))).permute(2, 0, 1))
    return torch.stack(made).contiguous()

"""The operator retarget."""

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
from danqing.maths.regrowing import regrown

SMALLEST = 16  # px


@operator
def retarget(
    x: Images,
    width: Annotated[int, Range(16, 4096, "px")] | None = None,
    height: Annotated[int, Range(16, 4096, "px")] | None = None,
    radius: Annotated[int, Range(1, 8, "px")] = 3,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint a picture in another shape: what repeats is repeated more or less often, and nothing is squeezed.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        width: of the result; by default as it is.
        height: of the result; by default as it is.
        radius: how far a patch reaches from its middle.
        seed: where the search for fitting patches starts.

    Returns:
        A job with pictures (B, C, height, width).

    Raises:
        ParameterError: if a picture is smaller than 16 px.

    Source: Granot et al. 2022, "Drop the GAN", section 3.2; the problem: Simakov et al. 2008, "Summarizing visual data
    using bidirectional similarity".

    Examples:
        danqing retarget arcade.jpg --width 1200 --out long.png
    """
    if min(x.shape[2:]) < SMALLEST:
        raise ParameterError(f"is smaller than {SMALLEST} px", where="x", remedy="Give a larger picture")
    size = x.shape[2] if height is None else height, x.shape[3] if width is None else width
    made = []
    for item in range(len(x)):
        source = x[item].permute(1, 2, 0).numpy()
        job = regrown(source, [source], size, False, radius, np.random.default_rng(seed))
        made.append(torch.from_numpy((yield from shared(job, item, 1, total=len(x)))).permute(2, 0, 1))
    return torch.stack(made).contiguous()

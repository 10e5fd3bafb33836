"""The operator collage."""

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
from danqing.maths.fitting import in_channels
from danqing.maths.regrowing import regrown

SMALLEST = 16  # px


@operator
def collage(x: Images, layout: Images, radius: Annotated[int, Range(1, 8, "px")] = 3, seed: Seed = 0) -> Job[Images]:
    """Rearrange a picture by a rough collage of its parts, so that no seam is seen.

    Args:
        x: pictures (B, C, H, W) in [0, 1] that everything is painted from.
        layout: pasted or painted roughly in the picture's colours, one picture or as many as ``x``; its size is that of
            the result.
        radius: how far a patch reaches from its middle.
        seed: where the search for fitting patches starts.

    Returns:
        A job with pictures (B, C, height, width) of the layout's size.

    Raises:
        ParameterError: if a picture is smaller than 16 px, or there are neither one layout nor as many as pictures.

    Source: Granot et al. 2022, "Drop the GAN", section 3.2 (collage, structural analogies).

    Examples:
        danqing collage beach.jpg pasted.png --out moved.png
    """
    if min(*x.shape[2:], *layout.shape[2:]) < SMALLEST:
        raise ParameterError(f"is smaller than {SMALLEST} px", where="x", remedy="Give larger pictures")
    if len(layout) not in (1, len(x)):
        raise ParameterError(f"{len(layout)} layouts for {len(x)} pictures", where="layout", remedy="Give one")
    plans = in_channels(layout, x.shape[1]).expand(len(x), -1, -1, -1)
    size = layout.shape[2], layout.shape[3]
    made = []
    for item in range(len(x)):
        source, plan = (each[item].permute(1, 2, 0).numpy() for each in (x, plans))
        job = regrown(source, [plan], size, False, radius, np.random.default_rng(seed))
        made.append(torch.from_numpy((yield from shared(job, item, 1, total=len(x)))).permute(2, 0, 1))
    return torch.stack(made).contiguous()

"""The operator fade."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.degradation import faded


@operator
def fade(x: Images, strength: Annotated[float, Range(0, 1)] = 0.7, seed: Seed = 0) -> Images:
    """Fade pictures as old photographs do: pale blacks, yellow paper and a cast of colour.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: 0 is new, 1 very old.
        seed: another one bleaches the dyes differently.

    Returns:
        Pictures of the same size; grey ones only lose contrast.

    Source: danqing: densities D = -log x of the three dyes become (1 - s f) D + s p, by the law of Beer and Lambert,
        with f in 0.25…0.65 and p at most 0.04, 0.1 and 0.25 (red, green and blue; 0.1 for grey).

    Examples:
        danqing fade photo.png --strength 0.8 --seed 4 --out old.png
    """
    return faded(x, torch.tensor(strength), torch.Generator().manual_seed(seed))

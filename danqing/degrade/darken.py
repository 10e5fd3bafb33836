"""The operator darken."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.degradation import taking_in_low_light


@operator
def darken(
    x: Images,
    exposure: Annotated[float, Range(0.001, 1)] = 0.1,
    gamma: Annotated[float, Range(0.5, 3)] = 1,
    sigma: Annotated[float, Range(0, 75)] = 2,
    seed: Seed = 0,
) -> Job[Images]:
    """Take pictures again with too little light, and the noise that comes with it.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        exposure: share of the light that is left.
        gamma: exponent of the light before that; above 1 the shadows sink deeper than the lights.
        sigma: standard deviation of the sensor's reading, on the 0–255 scale, in linear light; the noise of its photons
            grows with it, and 0 is without any noise.
        seed: another one draws other noise.

    Returns:
        Pictures of the same size, dark.

    Source: y = sRGB(P(N e L^γ) / N + σ n), L the linear light (IEC 61966-2-1); photons and reading noise belong
        together as in cameras: log σ² = 2.18 log(1 / N) + 1.2 (T. Brooks et al., "Unprocessing images for learned raw
        denoising", 2019, section 3.1).

    Examples:
        danqing darken photo.png --exposure 0.05 --sigma 3 --out night.png
    """
    rng = torch.Generator().manual_seed(seed)
    light, power, reading = (torch.tensor(each) for each in (exposure, gamma, sigma / 255))
    return (yield from taking_in_low_light(x, light, power, reading, rng))

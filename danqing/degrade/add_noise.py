"""The operator add_noise."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.degradation import gaussian_noise, poisson_gaussian, salt_and_pepper


@operator
def add_noise(
    x: Images,
    kind: Literal["gaussian", "poisson", "salt-and-pepper"] = "gaussian",
    sigma: Annotated[float, Range(0, 75)] = 25,
    share: Annotated[float, Range(0, 1)] = 0.1,
    seed: Seed = 0,
) -> Images:
    """Add the noise of a sensor, of few photons or of dead pixels, the same every time.

    Values that leave [0, 1] are clipped, as every file clips them.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        kind: "gaussian" is as strong everywhere, "poisson" stronger where it is bright, "salt-and-pepper" makes pixels
            white or black.
        sigma: standard deviation on the 0–255 scale, of "poisson" at white.
        share: of the pixels that "salt-and-pepper" hits.
        seed: another one draws other noise.

    Returns:
        Pictures of the same size.

    Source: y = x + σ n with n ~ N(0, 1); y = P(N x) / N with N = 1 / σ² photons at white (A. Foi et al., "Practical
        Poissonian-Gaussian noise modeling and fitting for single-image raw-data", 2008, eq. 1–3); y in {0, 1} with the
        probability of the share, halved between the two.

    Examples:
        danqing add_noise photo.png --sigma 25 --out noisy.png
        danqing add_noise photo.png --kind salt-and-pepper --share 0.05 --seed 7 --out specks.png
    """
    rng = torch.Generator().manual_seed(seed)
    strength = torch.tensor(sigma / 255, dtype=torch.float64)
    if kind == "gaussian":
        return gaussian_noise(x, strength, rng)
    if kind == "poisson":
        return poisson_gaussian(x, 1 / strength.square(), torch.tensor(0.0), rng)
    return salt_and_pepper(x, torch.tensor(share), rng)

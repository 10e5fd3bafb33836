"""The operator denoise."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.damage import noise_level


def _settled(x: Images, sigma: float | None) -> dict[str, float]:
    return {"sigma": 255 * float(noise_level(x)) if sigma is None else sigma}


@operator(reach=lambda weights: weights.reach, settle=_settled)
def denoise(
    x: Images,
    sigma: Annotated[float, Range(0, 75)] | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    weights: Annotated[Restorer, ForTask("denoise")] = "denoise-base",  # type: ignore[assignment]
) -> Images:
    """Remove noise with a neural network that learned it from photographs.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        sigma: standard deviation of the noise on the 0–255 scale, if it is known; otherwise it is estimated from each
            picture. 0 changes nothing.
        strength: share of the noise that is taken away; a little of it left can look more natural.
        weights: the bundled denoise-base, the faster denoise-tiny, or a restorer of one's own.

    Returns:
        Pictures of the same size; grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.

    Source: the net of danqing.models.restorer; the estimate: G. Chen, F. Zhu, P. A. Heng 2015.

    Examples:
        danqing denoise photo.png --out clean.png
        danqing denoise photo.png --sigma 25 --weights denoise-tiny --out clean.png
    """
    if not sigma or strength == 0:
        return x.clone()
    return torch.lerp(x, weights.restore(x, level=x.new_tensor([sigma / 255])), strength)

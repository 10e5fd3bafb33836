"""The operator denoise."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.images import Images
from danqing.core.model import Restorer
from danqing.core.params import Range, WeightsOf
from danqing.core.registry import operator


@operator(reach=lambda weights: weights.reach)
def denoise(
    x: Images,
    sigma: Annotated[float, Range(0, 75)] | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    weights: Annotated[Restorer, WeightsOf("restorer/denoise")] = "denoise-base",  # type: ignore[assignment]
) -> Images:
    """Remove noise with a neural network that learned it from photographs.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        sigma: standard deviation of the noise on the 0–255 scale, if it is known; otherwise the net sees for itself,
            place by place. 0 changes nothing.
        strength: share of the noise that is taken away; a little of it left can look more natural.
        weights: the bundled denoise-base, the faster denoise-small or denoise-tiny, or a restorer of one's own.

    Returns:
        Pictures of the same size; grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.

    Source: the net of danqing.models.restorer.

    Examples:
        danqing denoise photo.png --out clean.png
        danqing denoise photo.png --sigma 25 --weights denoise-tiny --out clean.png
    """
    if sigma == 0 or strength == 0:
        return x.clone()
    known = {} if sigma is None else {"level": x.new_tensor([sigma / 255])}
    return torch.lerp(x, weights.restore(x, **known), strength)

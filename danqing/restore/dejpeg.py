"""The operator dejpeg."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator(reach=lambda weights: weights.reach)
def dejpeg(
    x: Images,
    quality: Annotated[int, Range(1, 100)] | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    weights: Annotated[Restorer, ForTask("dejpeg")] = "dejpeg-small",  # type: ignore[assignment]
) -> Images:
    """Take away the blocks and ripples of JPEG compression with a neural network.

    Args:
        x: pictures (B, C, H, W) in [0, 1], at the size they were compressed at.
        quality: of the compression, if it is known; otherwise the net sees for itself.
        strength: share of the change that is made.
        weights: the bundled dejpeg-small, or a restorer of one's own.

    Returns:
        Pictures of the same size; grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.

    Source: the net of danqing.models.restorer.

    Examples:
        danqing dejpeg photo.png --out clean.png
        danqing dejpeg photo.png --quality 10 --out clean.png
    """
    known = {} if quality is None else {"level": x.new_tensor([float(quality)])}
    return torch.lerp(x, weights.restore(x, **known), strength)

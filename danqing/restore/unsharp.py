"""The operator unsharp."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator(reach=lambda radius: _support(radius))
def unsharp(
    x: Images,
    radius: Annotated[float, Range(0.1, 50, "px")] = 1.5,
    strength: Annotated[float, Range(0, 10)] = 0.8,
    threshold: Annotated[float, Range(0, 255)] = 0,
) -> Images:
    """Sharpen by adding what a blur would take away.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: standard deviation of the blur; about the width of the soft edges that are to become sharp.
        strength: how many times the difference is added; 0 changes nothing.
        threshold: differences up to this size, on the 0–255 scale, are taken for noise and left alone.

    Returns:
        Pictures of the same size, clipped to [0, 1].

    Source: the darkroom's unsharp mask, as in A. Polesel, G. Ramponi, V. Mathews, "Image enhancement via adaptive
        unsharp masking", 2000, eq. 1; the threshold: danqing.

    Examples:
        danqing unsharp photo.png --radius 2 --strength 1.2 --threshold 3 --out sharp.png
    """
    detail = x - _blurred(x, radius)
    if threshold:
        detail = torch.nn.functional.softshrink(detail, threshold / 255)
    return detail.mul_(strength).add_(x).clamp_(0, 1)


def _support(radius: float) -> int:
    """Pixels beyond which the Gaussian is cut off: four standard deviations, as SciPy and scikit-image do."""
    return int(4 * radius + 0.5)


def _blurred(x: Images, radius: float) -> Images:
    import cv2

    side = 2 * _support(radius) + 1
    planes = [
        cv2.GaussianBlur(plane.contiguous().numpy(), (side, side), radius, borderType=cv2.BORDER_REFLECT)
        for plane in x.cpu().flatten(0, 1)
    ]
    return torch.from_numpy(np.stack(planes)).to(x.device).view(x.shape)

"""The operator bilateral."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator(reach=lambda radius: radius)
def bilateral(
    x: Images,
    radius: Annotated[int, Range(1, 30, "px")] = 5,
    sigma: Annotated[float, Range(0, 255)] = 25,
) -> Images:
    """Smooth surfaces and keep edges by averaging neighbours that are near in place and in colour.

    Both weights are Gaussian; the distance of two colours is the sum of the differences of their channels.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: how far the round neighbourhood reaches; the spatial weight has half of it as standard deviation.
        sigma: difference in brightness, on the 0–255 scale, at which the weight has fallen to 0.6; 0 changes nothing.

    Returns:
        Pictures of the same size; no value leaves the range of its neighbourhood.

    Source: C. Tomasi, R. Manduchi, "Bilateral filtering for gray and color images", 1998, eq. 3–5.

    Examples:
        danqing bilateral photo.png --radius 7 --sigma 30 --out smooth.png
    """
    if sigma == 0:
        return x.clone()
    import cv2

    tone = sigma / 255 * x.shape[1]  # the distances of the channels add up
    pictures = [
        cv2.bilateralFilter(
            np.ascontiguousarray(picture.permute(1, 2, 0).numpy()), 2 * radius + 1, tone, radius / 2,
            borderType=cv2.BORDER_REFLECT,
        ).reshape(*picture.shape[1:], -1)
        for picture in x.cpu()
    ]  # fmt: skip
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous().clamp_(0, 1).to(x.device)

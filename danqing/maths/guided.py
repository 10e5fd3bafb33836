"""The guided filter: what is filtered follows the edges of another picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn import functional as F

RADIUS = 3  # px of the small picture
WIDE = 16  # px of a picture at its size
SMOOTH = 1e-3  # variance of the guide below which there is no edge


def linear_in(guide: Any, x: Any, mean: Callable[[Any], Any], smooth: float) -> tuple[Any, Any]:
    """The slope and the offset with which ``x`` is, in every window, linear in a guide of one channel.

    Args:
        guide: an array or a tensor.
        x: the same, of a shape that goes with it.
        mean: takes the mean over windows.
        smooth: variance of the guide that counts as none.

    Source: K. He, J. Sun, X. Tang, "Guided image filtering", 2010, eq. 5, 6 and 8.
    """
    middle, level = mean(guide), mean(x)
    slope = (mean(guide * x) - middle * level) / (mean(guide * guide) - middle * middle + smooth)
    return mean(slope), mean(level - slope * middle)


def enlarged_along(x: Tensor, small: Tensor, large: Tensor) -> Tensor:
    """Enlarge planes (B, C, h, w) so that their edges lie where those of a guide lie.

    What the planes have of a small guide is enlarged and used with the large one.

    Args:
        x: what is enlarged.
        small: the guide (B, 1, h, w) at its size.
        large: the guide (B, 1, H, W).

    Returns:
        Planes (B, C, H, W).

    Source: K. He, J. Sun, "Fast guided filter", 2015, algorithm 2.
    """
    slope, offset = (
        F.interpolate(part, size=large.shape[-2:], mode="bilinear", align_corners=False)
        for part in linear_in(small, x, _mean, SMOOTH)
    )
    return slope.mul_(large).add_(offset)


def led_by(guide: Tensor, x: Tensor) -> Tensor:
    """What is, within WIDE pixels, linear in a guide, channel by channel; it looks twice as far.

    Args:
        guide: (B, C, H, W), whose detail is kept.
        x: the same size: how light the places are, and what their contrast is.

    Source: :func:`linear_in`.
    """
    slope, offset = linear_in(guide, x, partial(_mean, radius=WIDE), SMOOTH)
    led: Tensor = slope * guide + offset
    return led


def _mean(x: Tensor, radius: int = RADIUS) -> Tensor:
    """Over square windows, of what lies inside the picture."""
    columns = F.avg_pool2d(x, (2 * radius + 1, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, 2 * radius + 1), 1, (0, radius), count_include_pad=False)

"""Enlarging one picture along the edges of another."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

RADIUS = 3  # px of the small picture
SMOOTH = 1e-3  # variance of the guide below which there is no edge


def enlarged_along(x: Tensor, small: Tensor, large: Tensor) -> Tensor:
    """Enlarge planes (B, C, h, w) so that their edges lie where those of a guide lie.

    In every small window the planes are taken as linear in the guide; what slope and offset that makes is enlarged and
    used with the large guide.

    Args:
        x: what is enlarged.
        small: the guide (B, 1, h, w) at its size.
        large: the guide (B, 1, H, W).

    Returns:
        Planes (B, C, H, W).

    Source: K. He, J. Sun, "Fast guided filter", 2015, algorithm 2.
    """
    mean, guide = _mean(x), _mean(small)
    slope = (_mean(x * small) - mean * guide) / (_mean(small.square()) - guide.square() + SMOOTH)
    offset = mean - slope * guide
    slope, offset = (
        F.interpolate(_mean(part), size=large.shape[-2:], mode="bilinear", align_corners=False)
        for part in (slope, offset)
    )
    return slope.mul_(large).add_(offset)


def _mean(x: Tensor) -> Tensor:
    """Over square windows, of what lies inside the picture."""
    return F.avg_pool2d(x, 2 * RADIUS + 1, 1, RADIUS, count_include_pad=False)

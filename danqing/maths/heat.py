"""Heat maps: numbers laid over a picture as colours."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.core.pictures.contract import Images
from danqing.maths.colour import luma

SHOWS_THROUGH = 0.55  # share of the ground's brightness that is left under a heat of 0
HOT, COLD = (1.0, 0.45, 0.05), (0.1, 0.45, 1.0)  # orange speaks for, blue against; told apart by the colour-blind, too


def heated(x: Images, heat: Tensor) -> Images:
    """Lay a map over grey pictures: orange where it is above 0, blue where it is below, full at 1 and −1.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        heat: (B, 1, H, W) in [−1, 1].

    Returns:
        (B, 3, H, W).

    Source: danqing.
    """
    ground = luma(x).expand(-1, 3, -1, -1) * SHOWS_THROUGH
    ink = torch.where(heat[:, :1] > 0, x.new_tensor(HOT).view(3, 1, 1), x.new_tensor(COLD).view(3, 1, 1))
    return torch.lerp(ground, ink, heat.abs().clamp(0, 1)).clamp(0, 1)


def to_unit(values: Tensor) -> Tensor:
    """Divide each map (B, …) by its largest magnitude; a map of zeros stays one."""
    largest = values.abs().flatten(1).amax(1).clamp_min(torch.finfo(values.dtype).tiny)
    return values / largest.view(-1, *[1] * (values.ndim - 1))


def rank_correlation(one: Tensor, other: Tensor) -> float:
    """Spearman's correlation of two maps of one size; 0 where one of them is flat.

    Source: Spearman 1904; Adebayo et al. 2018, arXiv:1810.03292, section 3.1, for comparing maps by it.
    """
    from scipy.stats import spearmanr

    a, b = one.flatten().double().cpu().numpy(), other.flatten().double().cpu().numpy()
    if a.min() == a.max() or b.min() == b.max():
        return 0.0
    return float(spearmanr(a, b).statistic)


__all__ = ["heated", "rank_correlation", "to_unit"]

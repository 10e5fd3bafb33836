"""Spread what is known at a few places of a picture over what is alike around them, up to its edges."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from danqing.core.pictures.contract import Images, Mask

EDGE = 0.05  # difference of brightness across which little is spread
FIRMNESS = 100.0  # weight of what is told against that of its neighbours
FORGOTTEN = 2e-4  # share that is lost from a pixel to the next, squared: on even ground half is left after 50 px
LOOSEST = 1e-6  # weight across the sharpest edge


def spread(told: Tensor, mask: Mask, guide: Images) -> Tensor:
    """Values everywhere from values at some places, smooth but for the edges of a guide, and 0 far from all places.

    Args:
        told: (B, C, H, W), values where the mask is 1.
        mask: (B, 1, H, W).
        guide: brightness (B, 1, H, W).

    Returns:
        (B, C, H, W).

    Source: A. Levin, D. Lischinski, Y. Weiss, "Colorization using optimization", 2004, with the quadratic form
        Σ w (u - v)² over neighbours, w = exp(-d² / 2 σ²) for a difference d of brightness, and a pull to 0.
    """
    made = [
        _solved(values, there > 0, light)
        for values, there, light in zip(
            told.double().cpu().numpy(), mask[:, 0].cpu().numpy(), guide[:, 0].double().cpu().numpy(), strict=True
        )
    ]
    return torch.from_numpy(np.stack(made)).to(told)


def _solved(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    there: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    light: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    from scipy import sparse
    from scipy.sparse.linalg import splu

    size, number = light.size, np.arange(light.size).reshape(light.shape)
    one = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    other = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    steps = light.ravel()[one] - light.ravel()[other]
    weight = np.exp(-(steps**2) / (2 * EDGE**2)).clip(LOOSEST)
    links = sparse.coo_matrix((weight, (one, other)), (size, size))
    links = links + links.T
    firm = FIRMNESS * there.ravel()
    system = sparse.diags(np.asarray(links.sum(1)).ravel() + firm + FORGOTTEN) - links
    solve = splu(system.tocsc()).solve
    return np.stack([solve(firm * plane.ravel()).reshape(light.shape) for plane in values])

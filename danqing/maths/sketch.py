"""A rough description of pictures by formula, without learned weights: cheap enough to watch every minute of training.

It sees what collapse and gross misfit change (where light and dark are, edges by direction, texture by scale, tint)
and not what a score for a report needs; that is what the networks of :mod:`danqing.nets.backbones` are for.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.maths.full_precision import full_precision
from danqing.maths.statistics import gaussian_frechet, moments

SIDE = 32  # pictures are brought to this size first
DIM = 84  # 4×4 brightness, 8 filters × 2 scales × 2×2 places, 2 tints, 2 spreads of tint
GAIN = 4.0  # filter energies times this vary about as much as brightness does


@full_precision
def sketch_features(x: Images) -> Tensor:
    """Describe pictures (B, C, H, W) by 84 numbers each, (B, 84) float32.

    Brightness averaged over a 4×4 grid; the mean size of the responses to the eight 3×3 cosine patterns (all but the
    flat one) over a 2×2 grid, at full and at half size; mean and spread of two tints, zero for grey pictures.

    Source: danqing; the patterns are those of the discrete cosine transform (Ahmed et al. 1974).
    """
    rgb = functional.adaptive_avg_pool2d(x, SIDE) if min(x.shape[-2:]) >= SIDE else _grown(x)
    rgb = rgb.expand(-1, 3, -1, -1)
    grey = rgb.mean(1, keepdim=True)
    tints = torch.stack([rgb[:, 0] - rgb[:, 1], (rgb[:, 0] + rgb[:, 1]) / 2 - rgb[:, 2]], 1).flatten(2)
    parts = [
        functional.adaptive_avg_pool2d(grey, 4).flatten(1),
        _energies(grey),
        _energies(functional.avg_pool2d(grey, 2)),
        tints.mean(2),
        tints.std(2),
    ]
    return torch.cat(parts, 1)


def diversity(features: Tensor) -> float:
    """Average the Euclidean distance between two different pictures of a set over all pairs; features (N, D), N > 1."""
    return torch.pdist(features.double()).mean().item()


def sketch_distance(a: Tensor, b: Tensor) -> float:
    """Measure a Fréchet distance between sketches (N, 84) and (M, 84), for comparing moments of one run.

    Below 85 pictures it is biased by how few there are: compare it only between sets of equal size.
    """
    return gaussian_frechet(*moments(a), *moments(b))


def _grown(x: Images) -> Images:
    return functional.interpolate(x, (SIDE, SIDE), mode="bilinear")


def _energies(grey: Tensor) -> Tensor:
    responses = functional.conv2d(functional.pad(grey, (1, 1, 1, 1), mode="replicate"), _patterns().to(grey))
    return GAIN * functional.adaptive_avg_pool2d(responses.abs(), 2).flatten(1)


def _patterns() -> Tensor:
    """The 3×3 discrete cosine patterns but the flat one, (8, 1, 3, 3), each of unit norm."""
    at = torch.arange(3.0)
    basis = torch.stack([torch.cos(math.pi * (at + 0.5) * k / 3) for k in range(3)])
    basis = basis / basis.norm(dim=1, keepdim=True)
    patterns = torch.einsum("ay,bx->abyx", basis, basis).reshape(9, 1, 3, 3)
    return patterns[1:]

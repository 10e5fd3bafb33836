"""What the maps of a picture are like on the whole: their means and how they vary together; no place is told apart."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images, Mask

LEAST = 1e-8  # of a sum of squares that is divided by
NEAR = 1e-4  # a share of squares below which a root is smooth


class Moments(NamedTuple):
    """The mean (B, C) and the spread (B, C, C) of maps: their covariance, or Gram matrix."""

    mean: Tensor
    spread: Tensor


def moments(maps: Tensor, mask: Mask | None = None, centred: bool = True) -> Moments:
    """Means and covariances over the places of maps.

    Args:
        maps: (B, C, H, W).
        mask: how much each place counts, (B or 1, 1, H', W') of any size; all alike without it.
        centred: take the covariance; else the Gram matrix, in which the mean counts again.

    Returns:
        Moments whose sums are divided by what the places count together.

    Source: L. Gatys et al., "Image style transfer using convolutional neural networks", 2016, eq. 3 (Gram matrix);
    Y. Li et al., "Demystifying neural style transfer", 2017 (as matching of distributions).
    """
    flat = maps.flatten(2)
    if mask is None:
        mean = flat.mean(2)
        about = flat - mean[..., None] if centred else flat
        return Moments(mean, about @ about.transpose(1, 2) / flat.shape[2])
    counts = functional.interpolate(mask.to(maps), maps.shape[2:], mode="area").flatten(2)
    counts = counts / counts.sum(2, keepdim=True).clamp(min=LEAST)
    mean = (flat * counts).sum(2)
    about = flat - mean[..., None] if centred else flat
    return Moments(mean, (about * counts) @ about.transpose(1, 2))


def discrepancy(found: Moments, wanted: Moments, mutual: bool = False, rooted: bool = False) -> Tensor:
    """How far moments are from those that are wanted, (B,): squared differences, against the wanted ones' squares.

    Args:
        found: moments.
        wanted: others, of as many maps.
        mutual: divide by the mean of both squares instead: never more than 6 (4, of maps without negative values),
            whatever is wanted of something plain.
        rooted: take the root of each share, so that what is nearly right goes on to be drawn as strongly as what is
            far off; differences below a hundredth count by their squares.
    """
    parts = ((found.mean, wanted.mean), (found.spread, wanted.spread))
    shares = torch.stack([_share(mine, other, mutual) for mine, other in parts])
    return ((shares + NEAR).sqrt() - NEAR**0.5 if rooted else shares).sum(0)


def spread_distance(found: Moments, wanted: Moments) -> Tensor:
    """The norm of the difference of two spreads, against the wanted one's norm, (B,)."""
    return _share(found.spread, wanted.spread).sqrt()


def _share(found: Tensor, wanted: Tensor, mutual: bool = False) -> Tensor:
    size = wanted.square().flatten(1).sum(1)
    size = (size + found.square().flatten(1).sum(1)) / 2 if mutual else size
    return (found - wanted).square().flatten(1).sum(1) / size.clamp(min=LEAST)


def pixel_maps(x: Images) -> Tensor:
    """The colours of pictures (B, 3, H, W) and their differences to the right and below, (B, 9, H, W)."""
    right = functional.pad(x, (0, 1, 0, 0), mode="replicate")[..., 1:] - x
    below = functional.pad(x, (0, 0, 0, 1), mode="replicate")[..., 1:, :] - x
    return torch.cat([x, 4 * right, 4 * below], 1)  # differences are as small as that, mostly


__all__ = ["Moments", "discrepancy", "moments", "pixel_maps", "spread_distance"]

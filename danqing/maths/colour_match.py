"""Giving pictures the mean and the spread of other colours, with the least change that does it."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.core.pictures.contract import Images

FLOOR = 1e-4  # variance that a picture of one colour is taken to have
STRONGEST = 3.0  # times that a contrast is raised at most: more would show noise and the blocks of JPEG


def colour_moments(x: Images) -> tuple[Tensor, Tensor]:
    """The mean (B, 3) and covariance (B, 3, 3) of the colours of pictures (B, 3, H, W), in double precision."""
    flat = x.flatten(2).double()
    mean = flat.mean(2)
    about = flat - mean[..., None]
    return mean, about @ about.transpose(1, 2) / flat.shape[2]


def colour_map(x: Images, wanted: Images) -> tuple[Tensor, Tensor]:
    """The affine map of colours, a matrix (B, 3, 3) and an offset (B, 3), that gives ``x`` the moments of ``wanted``.

    Source: F. Pitié, A. Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based colour
    transfer", 2007, eq. 4; no contrast is raised by more than STRONGEST.
    """
    (mine, own), (theirs, other) = colour_moments(x), colour_moments(wanted)
    eye = FLOOR * torch.eye(3, dtype=own.dtype, device=own.device)
    root = _root(own + eye)
    inverse = torch.linalg.inv(root)
    whole: Tensor = inverse @ _root(root @ (other + eye) @ root) @ inverse
    values, vectors = torch.linalg.eigh((whole + whole.transpose(1, 2)) / 2)
    matrix: Tensor = vectors @ torch.diag_embed(values.clamp(0, STRONGEST)) @ vectors.transpose(1, 2)
    offset: Tensor = theirs - (matrix @ mine[..., None])[..., 0]
    return matrix.to(x), offset.to(x)


def mapped(x: Images, matrix: Tensor, offset: Tensor) -> Images:
    """Map the colours of pictures (B, 3, H, W); what leaves the range is cut off."""
    flat = matrix @ x.flatten(2) + offset[..., None]
    out: Images = flat.unflatten(2, x.shape[2:])
    return out.clamp(0, 1)


def colours_matched(x: Images, wanted: Images) -> Images:
    """Pictures (B, 3, H, W) with the mean and the spread of the colours of others (B or 1, 3, H', W')."""
    return mapped(x, *colour_map(x, wanted.expand(len(x), -1, -1, -1)))


def _root(matrix: Tensor) -> Tensor:
    """The square root of symmetric matrices without negative eigenvalues."""
    values, vectors = torch.linalg.eigh((matrix + matrix.transpose(1, 2)) / 2)
    root: Tensor = vectors @ torch.diag_embed(values.clamp(min=0).sqrt()) @ vectors.transpose(1, 2)
    return root


__all__ = ["colour_map", "colour_moments", "colours_matched", "mapped"]

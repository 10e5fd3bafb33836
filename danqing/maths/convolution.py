"""Convolution of small maps with few multiplications: polynomials are multiplied by their values at a few points.

A row of a map is a form ``x(c, s) = sum_j x[j] c^(d-j) s^j``. A convolution is the product of two such forms, and a
product of forms is known from its values at as many points as it has coefficients: h + r - 1 multiplications replace
h * r, in each direction. The points lie evenly on the half circle, which keeps the evaluation well conditioned.

Source: Toom (1963); Cook (1966); Winograd, "Arithmetic Complexity of Computations" (1980); the points: danqing.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.maths.full_precision import full_precision

LARGEST = 11  # points in a direction; float32 keeps about 4 digits of 7 there, as many as TF32 and twice those of bf16


@full_precision
def correlate_small(x: Tensor, weight: Tensor, padding: tuple[int, int] = (0, 0)) -> Tensor:
    """Slide kernels over small square maps, as convolution layers do, zeros around the map.

    Args:
        x: (B, C, H, H), H + padding at most 11.
        weight: (C, O, r, r).
        padding: zeros before and after, in both directions.

    Returns:
        (B, O, M, M) with M = H + sum(padding) - r + 1, in channels-last memory.

    Source: the transpose of the form's product (Winograd's F(M, r)).
    """
    size, kernel = x.shape[-1], weight.shape[-1]
    points = size + sum(padding)
    before, first, after = _transposed(points, size, kernel, padding[0])
    return _multiply(x, weight, before.to(x.device), first.to(x.device), after.to(x.device))


@full_precision
def convolve_small(x: Tensor, weight: Tensor, crop: tuple[int, int] = (0, 0)) -> Tensor:
    """Spread kernels over small square maps, as transposed convolution layers do (the full product), then crop it.

    Args:
        x: (B, C, H, H), H + r - 1 at most 11.
        weight: (C, O, r, r).
        crop: rows and columns to leave out at the beginning and at the end.

    Returns:
        (B, O, M, M) with M = H + r - 1 - sum(crop), in channels-last memory.

    Source: the form's product (Toom-Cook).
    """
    size, kernel = x.shape[-1], weight.shape[-1]
    before, first, after = _product(size, kernel, *crop)
    return _multiply(x, weight, before.to(x.device), first.to(x.device), after.to(x.device))


def _multiply(x: Tensor, weight: Tensor, before: Tensor, first: Tensor, after: Tensor) -> Tensor:
    """Evaluate maps and kernels at the points, multiply there, and come back; only matrix products."""
    (batch, channels, size, _), (_, out, kernel, _) = x.shape, weight.shape
    maps = x.permute(0, 2, 3, 1).reshape(batch, size * size, channels)
    kernels = weight.permute(2, 3, 0, 1).reshape(kernel * kernel, channels * out)
    at_points = torch.bmm(before.expand(batch, -1, -1), maps).transpose(0, 1)  # (P, B, C)
    product = torch.bmm(at_points, (first @ kernels).view(-1, channels, out))  # (P, B, O)
    back = torch.bmm(after.expand(batch, -1, -1), product.transpose(0, 1))  # (B, M * M, O)
    side = round(back.shape[1] ** 0.5)
    return back.view(batch, side, side, out).permute(0, 3, 1, 2)


@functools.cache
def _product(size: int, kernel: int, low: int, high: int) -> tuple[Tensor, Tensor, Tensor]:
    points = size + kernel - 1
    back = np.linalg.inv(_values(points, points))[low : points - high]
    return _square(_values(points, size)), _square(_values(points, kernel)), _square(back)


@functools.cache
def _transposed(points: int, size: int, kernel: int, low: int) -> tuple[Tensor, Tensor, Tensor]:
    before = np.linalg.inv(_values(points, points)).T[:, low : low + size]
    return _square(before), _square(_values(points, kernel)), _square(_values(points, points - kernel + 1).T)


def _values(points: int, terms: int) -> NDArray[np.floating[Any]]:
    """The matrix that evaluates a form of so many terms at points spread evenly on the half circle."""
    angle = np.pi * (np.arange(points)[:, None] + 0.5) / points
    power = np.arange(terms)
    return np.cos(angle) ** (terms - 1 - power) * np.sin(angle) ** power


def _square(matrix: NDArray[np.floating[Any]]) -> Tensor:
    """The same transform in both directions of a flattened map."""
    with torch.inference_mode(False):  # it is kept, and may be met by autograd later
        return torch.from_numpy(np.kron(matrix, matrix).astype(np.float32))

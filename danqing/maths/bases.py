"""Bases in which blocks of pictures are sparse, as matrices: rows analyse, coarse rows first."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.maths.full_precision import full_precision

Matrix = NDArray[np.float64]
# Spline wavelets with one and five vanishing moments: the analysing low-pass filter, and the Haar high-pass filter.
_LOW = np.array([3, -3, -22, 22, 128, 128, 22, -22, -3, 3]) / (128 * np.sqrt(2))
_HIGH = np.array([-1, 1]) / np.sqrt(2)
QUAD = 4  # rows that are transformed together first


def cosine(size: int) -> Tensor:
    """The cosine transform (DCT-II), orthonormal.

    Args:
        size: length of what is transformed.

    Returns:
        (size, size) float64.

    Source: N. Ahmed, T. Natarajan, K. Rao, "Discrete cosine transform", 1974, eq. 1.
    """
    place, wave = np.arange(size), np.arange(size)[:, None]
    rows = np.cos(np.pi * (2 * place + 1) * wave / (2 * size)) * np.sqrt(2 / size)
    rows[0] /= np.sqrt(2)
    return torch.from_numpy(rows)


def haar(size: int) -> Tensor:
    """The Haar wavelets of all scales, orthonormal.

    Args:
        size: a power of two.

    Returns:
        (size, size) float64.

    Source: A. Haar, "Zur Theorie der orthogonalen Funktionensysteme", 1910.
    """
    return torch.from_numpy(_cascade(size, np.abs(_HIGH), _HIGH))


def haar_order(size: int) -> Tensor:
    """Where :func:`into_haar` wants which row: neighbours go to different quarters, so that four are met at once."""
    return torch.arange(size).view(-1, QUAD).T.flatten()


@full_precision
def into_haar(x: Tensor) -> Tensor:
    """Transform rows by Haar wavelets: first fours of neighbours, then the means of the fours.

    Args:
        x: (size, N), rows in :func:`haar_order`; size a power of two, 8 or more.

    Returns:
        (size, N): ``haar(size)`` times the rows in their own order, its rows in another order, the mean first.

    Source: danqing; the matrix taken apart, which is a third of the work.
    """
    fine, coarse = (step.to(x) for step in _steps(len(x)))
    y = fine @ x.view(QUAD, -1)
    y[0] = (coarse @ y[0].view(len(coarse), -1)).flatten()
    return y.view_as(x)


@full_precision
def from_haar(y: Tensor) -> Tensor:
    """Undo :func:`into_haar`; ``y`` (size, N) is used up.

    Source: as there; the inverse of an orthonormal matrix is its transpose.
    """
    fine, coarse = (step.to(y) for step in _steps(len(y)))
    parts = y.view(QUAD, -1)
    parts[0] = (coarse.T @ parts[0].view(len(coarse), -1)).flatten()
    return (fine.T @ parts).view_as(y)


def spline_wavelet(size: int) -> Tensor:
    """Biorthogonal spline wavelets (1, 5) of all scales, wrapped around the ends, rows of length one.

    White noise keeps its strength in every coefficient, but the coefficients of different rows are not independent; the
    way back is the inverse matrix, not the transpose.

    Args:
        size: a power of two.

    Returns:
        (size, size) float64.

    Source: A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported wavelets", 1992, table
        6.1.
    """
    rows = _cascade(size, _LOW, _HIGH)
    return torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def plane(rows: Tensor) -> Tensor:
    """Turn a basis of lines (S, S) into one of square blocks (S², S²), whose first n² rows are made of n of lines."""
    size = len(rows)
    order = sorted(range(size * size), key=lambda at: (max(at // size, at % size), at))
    return torch.kron(rows, rows)[order]


@functools.cache
def _steps(size: int) -> tuple[Tensor, Tensor]:
    """The matrices of :func:`into_haar`, made once: it is called for every few stacks."""
    return haar(QUAD), haar(size // QUAD)


def _cascade(size: int, low: Matrix, high: Matrix) -> Matrix:
    """Split the coarse half again and again until one mean is left."""
    rows = np.eye(size)
    while size > 1:
        split = np.zeros((size, size))
        for taps, first in ((low, 0), (high, size // 2)):
            for at in range(size // 2):
                for place, tap in enumerate(taps, 2 * at + 1 - len(taps) // 2):
                    split[first + at, place % size] += tap
        rows[:size] = split @ rows[:size]
        size //= 2
    return rows

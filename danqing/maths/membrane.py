"""The membrane: values spread from where they are known to where they are not, as smooth as can be."""

from __future__ import annotations

from typing import Any

import numpy as np

Plane = np.ndarray[Any, np.dtype[Any]]
TURNS = 32  # of relaxation on each grid: what a coarser one has not seen is gone after a few
OVERSHOOT = 1.7  # of each turn; 1 would be plain Gauss-Seidel, 2 never settles


def membrane(values: Plane, unknown: Plane) -> Plane:
    """Fill the unknown pixels by the harmonic function that fits the known ones.

    Every filled pixel is the mean of its four neighbours (to about 1/1000 of the range of values); at the border of the
    picture, and around pixels that no known one is connected with, it is flat. Time grows with the number of pixels.

    Args:
        values: (H, W, C); what stands at unknown pixels does not count.
        unknown: (H, W), bool; some pixel must be known.

    Returns:
        (H, W, C), float32; known pixels are unchanged.

    Source: Laplace's equation with mirrored borders; solved from coarse to fine as in F. Bornemann, P. Deuflhard, "The
    cascadic multigrid method for elliptic problems", 1996, relaxed in red-black order.
    """
    filled = np.where(unknown[..., None], np.float32(0), values).astype(np.float32)
    if not unknown.any():
        return filled
    if max(unknown.shape) > 1:
        _lift(filled, unknown, membrane(*halved(filled, unknown)))
    _relax(filled, unknown)
    return filled


def halved(values: Plane, unknown: Plane, share: float = 0.25) -> tuple[Plane, Plane]:
    """Make a picture with unknown pixels half as large.

    Args:
        values: (H, W, C); what stands at unknown pixels does not count.
        unknown: (H, W), bool.
        share: how much of four pixels must be known for their mean to be.

    Returns:
        Means of what is known (⌈H/2⌉, ⌈W/2⌉, C), float32, and what is unknown now.

    Source: danqing.
    """
    odd = [(0, size % 2) for size in unknown.shape]
    inside = np.pad(np.ones(unknown.shape, bool), odd)[..., None]
    told = np.pad(~unknown, odd)[..., None]
    values = np.where(told, np.pad(values, [*odd, (0, 0)]), 0).astype(np.float32)
    total, count, full = (
        each.reshape(told.shape[0] // 2, 2, told.shape[1] // 2, 2, -1).sum((1, 3)) for each in (values, told, inside)
    )
    return total / np.maximum(count, 1).astype(np.float32), count[..., 0] < share * full[..., 0]


def _lift(filled: Plane, unknown: Plane, coarse: Plane) -> None:
    """Start the unknown pixels from a grid of half the size, linear between its pixels."""
    import cv2

    height, width = unknown.shape
    size = (2 * coarse.shape[1], 2 * coarse.shape[0])
    for channel in range(filled.shape[2]):
        plane = cv2.resize(np.ascontiguousarray(coarse[..., channel]), size, interpolation=cv2.INTER_LINEAR)
        filled[..., channel][unknown] = plane[:height, :width][unknown]


def _relax(filled: Plane, unknown: Plane) -> None:
    """Draw unknown pixels towards the mean of their neighbours, those of one colour of a chessboard at a time."""
    height, width, channels = filled.shape
    flat = filled.reshape(-1, channels)
    row, column = np.nonzero(unknown)
    neighbours = np.stack(
        [
            np.maximum(row - 1, 0) * width + column,
            np.minimum(row + 1, height - 1) * width + column,
            row * width + np.maximum(column - 1, 0),
            row * width + np.minimum(column + 1, width - 1),
        ]
    )
    here, colour = row * width + column, (row + column) % 2
    boards = [(here[colour == each], neighbours[:, colour == each]) for each in (0, 1)]
    for _ in range(TURNS):
        for at, (up, down, left, right) in boards:
            mean = flat.take(up, 0)
            for other in (down, left, right):
                mean += flat.take(other, 0)
            flat[at] += OVERSHOOT * (mean / 4 - flat[at])

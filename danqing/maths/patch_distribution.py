"""Giving a picture the patches of another: their distribution is matched view by view, at several sizes."""

from __future__ import annotations

import itertools

import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.maths.colour_match import colours_matched
from danqing.maths.pyramid import enlarged, resized

PATCH = 7  # px
VIEWS = 32  # directions that patches are seen from in a step
GAIN = 0.5  # of the way that all patches together ask for
LEAST = 56  # px: the shorter side of the smallest size that patches are matched at
SIZES = 4  # at most, each twice as large as the one before
MOST = 2**20  # pixels of the largest of them: of as many, all views together hold half a gigabyte


def patches_matched(x: Images, wanted: Images, rng: Generator, steps: int) -> Job[Images]:
    """Move the patches of a picture (1, 3, H, W) to the distribution of those of another (1, 3, h, w).

    At each size, coarse to fine, patches are seen from random directions; along each, sorted values become the sorted
    values of the other picture, and every pixel moves by the mean of what its patches ask for.

    Returns:
        A job with the picture, in [0, 1].

    Source: F. Pitié et al., "Automated colour grading using colour distribution transfer", 2007 (iterated matching
    along random directions); A. Elnekave, Y. Weiss 2022 (patches at several sizes).
    """
    height, width = x.shape[2:]
    first = next(size for size in itertools.count() if height * width >> 2 * size <= MOST)
    sizes = [size for size in range(first, first + SIZES) if min(height, width) >> size >= LEAST] or [first]
    if first:
        note(f"patches were matched in a picture {2**first} times smaller; finer detail is the photograph's own")
    total, canvas = steps * len(sizes), colours_matched(x, wanted)
    for turn, size in enumerate(reversed(sizes)):
        small, model = (_halved(each, size) for each in (canvas, wanted))
        changed = small
        for step in range(steps):
            changed = _step(changed, model, rng)
            yield Progress(
                turn * steps + step + 1, total, f"matching patches at {small.shape[3]} x {small.shape[2]} px"
            )
        canvas = _with_change(canvas, small, changed).clamp(0, 1)
        yield Progress((turn + 1) * steps, total, "matched", canvas)
    return canvas


def _step(x: Images, wanted: Images, rng: Generator) -> Images:
    """Match the patches along random directions at once, each answered by its share."""
    views = torch.randn(VIEWS, 3 * PATCH**2, generator=rng).to(x)
    views = torch.linalg.qr(views.T)[0].T.contiguous()  # at right angles to each other
    kernels = views.view(VIEWS, 3, PATCH, PATCH)
    mine, other = _seen(x, kernels), _seen(wanted, kernels)
    flat, order = mine.flatten(1).sort(1)
    target = _quantiles(other.flatten(1).sort(1)[0], flat.shape[1])
    move = torch.empty_like(flat).scatter_(1, order, target - flat).view_as(mine)
    moved = functional.conv_transpose2d(move[None], kernels)
    inner = moved[..., PATCH // 2 : -(PATCH // 2), PATCH // 2 : -(PATCH // 2)]  # without the edge that was repeated
    return x + GAIN * inner * 3 / VIEWS  # each pixel lies in PATCH² patches, of 3 PATCH² numbers each


def _seen(x: Images, kernels: Tensor) -> Tensor:
    """The patches around every pixel along each direction, (V, H, W); the edge is repeated."""
    edge = PATCH // 2
    return functional.conv2d(functional.pad(x, (edge,) * 4, mode="replicate"), kernels)[0]


def _quantiles(values: Tensor, count: int) -> Tensor:
    """So many quantiles of sorted values (V, N)."""
    return (
        functional.interpolate(values[None], count, mode="linear", align_corners=True)[0]
        if count > 1
        else values.mean(1, keepdim=True)
    )


def _halved(x: Images, times: int) -> Images:
    return x if times == 0 else resized(x, [max(1, -(-side >> times)) for side in x.shape[2:]])


def _with_change(x: Images, small: Images, changed: Images) -> Images:
    """Put what was changed at a smaller size into the picture; its finer detail stays."""
    return x + enlarged(changed - small, x.shape[2:]) if small.shape != x.shape else changed


__all__ = ["patches_matched"]

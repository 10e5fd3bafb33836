"""Regrowing pictures of a batch, each by itself: what the operators share that paint new pictures from one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.random import Generator

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, shared
from danqing.maths.regrowing import USUAL, Plane, Way, regrown

SMALLEST = 16  # px; shorter sides hold too few patches


def each_regrown(
    x: Images,
    guesses: Callable[[int, Plane, Generator], Sequence[Plane]],
    size: tuple[int, int],
    radius: int,
    seed: int,
    wrapped: bool = False,
    way: Way = USUAL,
) -> Job[Images]:
    """Regrow each of pictures (B, C, H, W) by itself into one (height, width) as ``size`` says; see :func:`regrown`.

    Args:
        x: what is painted from; a plane of opacity may follow premultiplied colours, and is regrown with them.
        guesses: what is begun with, of the number of a picture, itself (H, W, C) and a source of chance.
        size: of the results, no smaller than SMALLEST.
        radius: how far a patch reaches from its middle, px.
        seed: of the source of chance, for each picture anew.
        wrapped: whether results can be tiled.
        way: what counts.

    Raises:
        ParameterError: if pictures are smaller than 16 px.
    """
    check_large(x, "x")
    made = []
    for item in range(len(x)):
        source, rng = x[item].permute(1, 2, 0).numpy(), np.random.default_rng(seed)
        job = regrown(source, guesses(item, source, rng), size, wrapped, radius, rng, way)
        made.append(torch.from_numpy((yield from shared(job, item, 1, total=len(x)))).permute(2, 0, 1))
    return torch.stack(made).contiguous()


def check_large(x: Images, where: str) -> None:
    """Refuse pictures (B, C, H, W) that hold too few patches.

    Args:
        x: what is painted from, or like.
        where: the parameter that they are.

    Raises:
        ParameterError: if a side is shorter than 16 px.
    """
    if min(x.shape[2:]) < SMALLEST:
        raise ParameterError(f"is smaller than {SMALLEST} px", where=where, remedy="Give a larger picture")


def size_times(x: Images, wider: float, taller: float) -> tuple[int, int]:
    """Height and width of pictures, so many times as wide and as tall, but no smaller than can be grown."""
    return max(SMALLEST, round(x.shape[2] * taller)), max(SMALLEST, round(x.shape[3] * wider))

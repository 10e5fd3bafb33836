"""The operator seam_carve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import COLOURS, Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness
from danqing.maths.selection import fitting

Plane = np.ndarray[Any, np.dtype[Any]]
PRICE = 1e3  # of a seam through a pixel to be kept; minus as much for one to be given up
ROUND = 0.5  # pictures are enlarged by at most this share at a time, so that no seam is doubled over and over
SMALLEST = 2  # px
GREY = 0.5  # the ground on which what is transparent is told from what is not


@operator(geometry=True, together=True)
def seam_carve(
    x: Images,
    width: Annotated[int, Range(SMALLEST, 30_000, "px")] | None = None,
    height: Annotated[int, Range(SMALLEST, 30_000, "px")] | None = None,
    mask: Mask | None = None,
    discard: Mask | None = None,
) -> Job[Images]:
    """Make pictures narrower or wider, lower or higher, by giving up or doubling what is least seen.

    Seams of least change run through the picture from border to border and are taken out, or doubled, one by one.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        width: new width; not given: unchanged.
        height: new height; not given: unchanged.
        mask: what must be kept as it is, of the size of the pictures.
        discard: what should be given up first, of the size of the pictures.

    Returns:
        A job with pictures of the new size; a part that no seam crosses keeps its pixels, transparent or not.

    Raises:
        ParameterError: if a mask has another size than the pictures, or the picture is only a pixel wide.

    Source: S. Avidan, A. Shamir, "Seam carving for content-aware image resizing", 2007; the forward energy of M.
    Rubinstein, A. Shamir, S. Avidan, "Improved seam carving for video retargeting", 2008, eq. 4.

    Examples:
        danqing seam_carve photo.png --width 480 --out narrow.png
    """
    turns = [(3, x.shape[3], width), (2, x.shape[2], height)]
    changes = [(axis, size, new) for axis, size, new in turns if new is not None and new != size]
    if changes and min(x.shape[-2:]) < SMALLEST:
        raise ParameterError("no seam runs through a picture of a single pixel's width", where="x")
    price = _price(x, mask, discard)
    total = len(x) * sum(abs(new - size) for _, size, new in changes)
    bar = (Progress(done, total, "seams") for done in range(1, total + 1))
    results = []
    for picture in torch.cat([x, _light(x), price], 1).cpu():
        planes: Plane = picture.numpy()
        for axis, _, new in changes:
            upright = yield from _resized(planes.swapaxes(axis - 1, 2), new, bar)
            planes = upright.swapaxes(axis - 1, 2)
        results.append(torch.from_numpy(planes[: x.shape[1]].copy()))
    return torch.stack(results).to(x.device)


def _light(x: Images) -> Tensor:
    """What seams are to disturb least, (B, 1, H, W): brightness, of pictures with an opacity as they are on grey."""
    if x.shape[1] in COLOURS:
        return brightness(x)
    return brightness(x[:, :-1] + GREY * (1 - x[:, -1:]))


def _price(x: Images, mask: Mask | None, discard: Mask | None) -> Tensor:
    """What a seam pays for each pixel beside the change it leaves, (B, 1, H, W)."""
    price = torch.zeros_like(x[:, :1])
    for name, each, sign in (("mask", mask, 1), ("discard", discard, -1)):
        if each is None:
            continue
        price = price + sign * PRICE * fitting(each, x, name)[:, None].to(x)
    return price


def _resized(planes: Plane, width: int, bar: Iterator[Progress]) -> Job[Plane]:
    """Take seams out of planes (K, H, W), or double them, until they are as wide as asked; ``bar`` moves every seam."""
    while (old := planes.shape[2]) != width:
        count = old - width if width < old else min(width - old, max(1, int(ROUND * old)))
        left = yield from _left(planes[-2], planes[-1], count, bar)
        planes = np.take_along_axis(planes, left[None], 2) if width < old else _doubled(planes, left)
    return planes


def _left(light: Plane, price: Plane, count: int, bar: Iterator[Progress]) -> Job[Plane]:
    """Take out the cheapest seam ``count`` times; the columns (H, W - count) that are left in each row."""
    rows, left = light.shape[0], np.broadcast_to(np.arange(light.shape[1]), light.shape)
    for _ in range(count):
        stays = np.ones(light.shape, bool)
        stays[np.arange(rows), _cheapest(light, price)] = False
        light, price, left = (plane[stays].reshape(rows, -1) for plane in (light, price, left))
        yield next(bar)
    return left


def _cheapest(light: Plane, price: Plane) -> Plane:
    """The column in each row of the seam whose loss leaves the least new change, by dynamic programming."""
    height, width = light.shape
    wide = np.pad(light, ((1, 0), (1, 1)), mode="edge")
    before, after, above = wide[1:, :-2], wide[1:, 2:], wide[:-1, 1:-1]
    straight = np.abs(after - before) + price
    steps = (straight + np.abs(above - before), straight, straight + np.abs(above - after))
    cost = np.full((height, width + 2), np.inf, np.float32)
    cost[0, 1:-1] = straight[0]
    best, other = np.empty(width, np.float32), np.empty(width, np.float32)
    for row in range(1, height):
        last = cost[row - 1]
        np.add(last[1:-1], steps[1][row], best)
        np.minimum(best, np.add(last[:-2], steps[0][row], other), out=best)
        np.minimum(best, np.add(last[2:], steps[2][row], other), out=cost[row, 1:-1])
    seam = np.empty(height, np.intp)
    column = seam[-1] = int(cost[-1, 1:-1].argmin())
    for row in range(height - 1, 0, -1):
        ways = [cost[row - 1, column + way] + steps[way][row, column] for way in (1, 0, 2)]  # straight, if it is equal
        column += (0, -1, 1)[ways.index(min(ways))]
        seam[row - 1] = column
    return seam


def _doubled(planes: Plane, kept: Plane) -> Plane:
    """Insert, beside each pixel that is not kept, the mean of it and its right neighbour."""
    _, height, width = planes.shape
    times = np.full((height, width), 2)
    np.put_along_axis(times, kept, 1, 1)
    source = np.repeat(np.arange(height * width), times.ravel()).reshape(height, -1)
    wider: Plane = planes.reshape(len(planes), -1)[:, source]
    fresh = np.diff(source, axis=1, prepend=-1) == 0
    following = np.concatenate([wider[:, :, 1:], wider[:, :, -1:]], 2)
    return np.where(fresh, (wider + following) / 2, wider)

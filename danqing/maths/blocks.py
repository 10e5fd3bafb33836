"""Square blocks at every place of a picture: their coefficients in a basis, those that look alike, and the way back.

A block is known by its place, counted in reading order over the (H - S + 1) x (W - S + 1) places where it fits.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

FAR = 1e6  # added to the distance of places outside the picture, taken from that of a block to itself
GRID = 4  # references a line of a tile, in both directions, that are compared with the same candidates
STRIP = 32  # lines of places worked on together: what is computed on the way stays near the processor


def coefficients(x: Tensor, basis: Tensor) -> Tensor:
    """Transform the blocks at all places.

    Args:
        x: one picture (C, H, W), no side shorter than that of a block.
        basis: (S², S²), rows analyse.

    Returns:
        (places, C · S²): one row a place, channel after channel.

    Source: danqing; a convolution with the blocks of the basis.
    """
    side, channels = round(len(basis) ** 0.5), len(x)
    rows, columns = (size - side + 1 for size in x.shape[1:])
    filters = basis.view(-1, 1, side, side).repeat(channels, 1, 1, 1).contiguous(memory_format=torch.channels_last)
    table = zeros(rows * columns, channels * len(basis), like=x).view(rows, columns, -1)
    for top in range(0, rows, STRIP):
        strip = x[None, :, top : top + STRIP + side - 1].contiguous(memory_format=torch.channels_last)
        table[top : top + STRIP] = functional.conv2d(strip, filters, groups=channels)[0].permute(1, 2, 0)
    return table.view(rows * columns, -1)


def overlapped(total: Tensor, weights: Tensor, inverse: Tensor, window: Tensor, height: int, width: int) -> Tensor:
    """Lay blocks on top of one another and take their weighted mean.

    Args:
        total: (places, C · S²), coefficients times their weights, summed up a place.
        weights: (places, C), the sums of the weights.
        inverse: (S², S²), back from coefficients to pixels.
        window: (S, S), a further weight for each pixel of a block.
        height: of the picture in pixels.
        width: of the picture in pixels.

    Returns:
        (C, height, width); every pixel must be covered by a block with a weight.

    Source: K. Dabov et al., 2007, eq. 12.
    """
    side, channels = len(window), weights.shape[1]
    rows, columns = height - side + 1, width - side + 1
    blocks = total.view(rows, columns, channels, -1)
    back = inverse * window.reshape(-1, 1)
    sums = total.new_zeros(channels, height, width)
    for top in range(0, rows, STRIP):
        strip = blocks[top : top + STRIP]
        pixels = back @ strip.flatten(0, 1).permute(1, 2, 0)  # (C, S², places)
        lines = len(strip) + side - 1
        sums[:, top : top + lines] += functional.fold(pixels, (lines, width), side)[:, 0]
    planes = weights.T.reshape(channels, 1, rows, columns)
    norm = functional.conv2d(planes, window.flip(0, 1)[None, None], padding=side - 1)[:, 0]
    return sums / norm


def alike(features: Tensor, count: int, step: int, radius: int) -> Tensor:
    """Find the blocks that look most like each block of a coarse grid, which ends at the last place of a line.

    Args:
        features: (H', W', K), what is compared, at every place of a block.
        count: how many to find for each, itself included; not more than there are places in its neighbourhood.
        step: distance of the grid's lines; references at the end of a line may appear twice.
        radius: how far is looked at least, not less than a step; up to (GRID - 1) · step + radius.

    Returns:
        (count, groups) places, nearest first, which is the reference itself.

    Source: K. Dabov et al., 2007, eq. 4; as matrix products: danqing.
    """
    height, width, terms = features.shape
    tile = GRID * step
    side = tile - step + 1 + 2 * radius
    down, right = (_grid(size, step).to(features.device) for size in (height, width))
    lines, rows = len(down), len(right)
    size = features.square().sum(2, keepdim=True)
    margins = (0, 0, radius, rows * tile + side - width, radius, lines * tile + side - height)
    known = functional.pad(torch.cat((features, size), 2), margins)
    known[..., -1] += functional.pad(size.new_zeros(height, width), margins[2:], value=FAR)
    left = torch.arange(rows, device=right.device)[:, None] * tile - radius  # of the candidates, a tile
    found = []
    for line in range(lines):
        top = line * tile - radius
        wanted = features[down[line][:, None, None], right].permute(1, 0, 2, 3).reshape(rows, -1, terms)
        strip = known[top + radius : top + radius + side]
        offered = strip.unfold(1, side, tile)[:, :rows].permute(1, 0, 3, 2).reshape(rows, side * side, terms + 1)
        distances = torch.baddbmm(offered[:, None, :, -1], wanted, offered[..., :-1].transpose(1, 2), alpha=-2)
        itself = (down[line] - top)[:, None] * side + (right - left)[:, None]  # (rows, GRID, GRID)
        distances.scatter_(2, itself.view(rows, -1, 1), -FAR)  # also where others are just the same
        best = distances.topk(count, 2, largest=False)[1]  # (rows, GRID², count)
        y, x = torch.div(best, side, rounding_mode="floor") + top, best % side + left[..., None]
        found.append((y * width + x).permute(2, 0, 1).reshape(count, -1))
    return torch.cat(found, 1)


def zeros(rows: int, columns: int, like: Tensor) -> Tensor:
    """Make a large table of zeros; NumPy's memory, since it asks the system for large pages, is there much sooner.

    Args:
        rows: how many.
        columns: how many.
        like: a tensor whose device it shall have.

    Returns:
        (rows, columns) float32.

    Source: danqing.
    """
    if like.device.type != "cpu":
        return like.new_zeros(rows, columns)
    return torch.from_numpy(np.empty((rows, columns), np.float32)).zero_()


def _grid(size: int, step: int) -> Tensor:
    """The places of references along one axis, (tiles, GRID)."""
    count = -(-(size - 1) // step) + 1  # both ends have one: every pixel lies in the block of a reference
    tiles = -(-count // GRID)
    return torch.arange(tiles * GRID).mul_(step).clamp_(max=size - 1).view(tiles, GRID)

"""Square blocks at every place of a picture: their coefficients in a basis, those that look alike, and the way back.

A block is known by its place, counted in reading order over the (H - S + 1) x (W - S + 1) places where it fits.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from danqing.maths.full_precision import full_precision

FAR = 1e6  # added to the distance of places outside the picture, taken from that of a block to itself
GRID = 4  # references a line of a tile, in both directions, that are compared with the same candidates
REACH = 124  # px: how far both stages of ``bm3d`` look
STRIP = 32  # lines of places worked on together: what is computed on the way stays near the processor


@full_precision
def coefficients(x: Tensor, basis: Tensor, out: Tensor) -> Tensor:
    """Transform the blocks at all places.

    Args:
        x: one picture (C, H, W), no side shorter than that of a block.
        basis: (S², S²), rows analyse.
        out: (P, C · S²), P not less than the number of places; memory for the result, since fresh memory is slow.

    Returns:
        (places, C · S²): one row a place, channel after channel; the beginning of ``out``.

    Source: danqing; a convolution with the blocks of the basis.
    """
    side, channels = round(len(basis) ** 0.5), len(x)
    rows, columns = (size - side + 1 for size in x.shape[1:])
    filters = basis.view(-1, 1, side, side).repeat(channels, 1, 1, 1).contiguous(memory_format=torch.channels_last)
    table = out[: rows * columns].view(rows, columns, -1)
    for top in range(0, rows, STRIP):
        strip = x[None, :, top : top + STRIP + side - 1].contiguous(memory_format=torch.channels_last)
        table[top : top + STRIP] = functional.conv2d(strip, filters, groups=channels)[0].permute(1, 2, 0)
    return out[: rows * columns]


@full_precision
def overlaid(total: Tensor, weights: Tensor, inverse: Tensor, window: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Lay blocks on top of one another.

    Args:
        total: (places, C · S²), coefficients times their weights, summed up a place.
        weights: (places, C), the sums of the weights.
        inverse: (S², S²), back from coefficients to pixels.
        window: (S, S), a further weight for each pixel of a block.
        columns: places a line.

    Returns:
        (C, H, W) pixels times their weights, and the weights (C, H, W): numerator and denominator of the estimate.

    Source: K. Dabov et al., 2007, eq. 12.
    """
    side, channels = len(window), weights.shape[1]
    blocks = total.view(-1, columns, channels, len(inverse))
    back = inverse * window.reshape(-1, 1)
    width = columns + side - 1
    sums = total.new_zeros(channels, len(blocks) + side - 1, width)
    for top in range(0, len(blocks), STRIP):
        strip = blocks[top : top + STRIP]
        pixels = (back @ strip.flatten(0, 1).permute(1, 2, 0)).view(channels, side, side, -1, columns)
        wide = total.new_zeros(channels, side, len(strip), width)  # lines of blocks, then blocks: fewer sums
        for right in range(side):
            wide[..., right : right + columns] += pixels[:, :, right]
        for down in range(side):
            sums[:, top + down : top + down + len(strip)] += wide[:, down]
    planes = weights.T.reshape(channels, 1, -1, columns)
    return sums, functional.conv2d(planes, window.flip(0, 1)[None, None], padding=side - 1)[:, 0]


@full_precision
def alike(features: Tensor, lines: slice, count: int, step: int, radius: int) -> Tensor:
    """Find the blocks that look most like each block of a coarse grid.

    Args:
        features: (H', W', K), what is compared, at every place of a block.
        lines: the grid's first line, and the one after its last; the grid's ends are on it, even off its step.
        count: how many to find for each, itself included; not more than there are places in its neighbourhood.
        step: distance of references, which may appear twice at the end of a line.
        radius: how far is looked at least, not less than a step; up to (GRID - 1) · step + radius.

    Returns:
        (count, groups) places, nearest first, which is the reference itself.

    Source: K. Dabov et al., 2007, eq. 4; as matrix products: danqing.
    """
    width = features.shape[1]
    tile = GRID * step
    side = tile - step + 1 + 2 * radius
    down, right = _grid(lines.start, lines.stop, step), _grid(0, width, step)
    down, right = down.to(features.device), right.to(features.device)
    size = features.square().sum(2, keepdim=True)
    below = lines.start + len(down) * tile + side - len(features)
    margins = (0, 0, radius, len(right) * tile + side - width, radius, below)
    known = functional.pad(torch.cat((features, size), 2), margins)
    known[..., -1:] += functional.pad(torch.zeros_like(size), margins, value=FAR)
    asked = torch.cat((-2 * features, torch.ones_like(size)), 2)  # |a - b|² without |a|² as one product
    left = torch.arange(len(right), device=right.device)[:, None] * tile - radius  # of the candidates, a tile
    found = []
    for line, references in enumerate(down):
        top = lines.start + line * tile - radius
        wanted = asked[references[:, None, None], right].transpose(0, 1).flatten(1, 2)
        strip = known[top + radius : top + radius + side]
        offered = strip.unfold(1, side, tile)[:, : len(right)].permute(1, 0, 3, 2).flatten(1, 2)
        distances = wanted @ offered.transpose(1, 2)  # (tiles, GRID², side²)
        itself = (references - top)[:, None] * side + (right - left)[:, None]  # (tiles, GRID, GRID)
        distances.scatter_(2, itself.flatten(1)[..., None], -FAR)  # also where others are just the same
        best = distances.topk(count, 2, largest=False)[1]  # (tiles, GRID², count)
        y, x = torch.div(best, side, rounding_mode="floor") + top, best % side + left[..., None]
        found.append((y * width + x).permute(2, 0, 1).flatten(1))
    return torch.cat(found, 1)


def _grid(start: int, stop: int, step: int) -> Tensor:
    """The places of references along one axis, (tiles, GRID)."""
    count = -(-(stop - 1 - start) // step) + 1  # both ends have one: no pixel is left out
    tiles = -(-count // GRID)
    return torch.arange(start, start + tiles * GRID * step, step).clamp_(max=stop - 1).view(tiles, GRID)

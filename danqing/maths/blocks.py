"""Square blocks at every place of a picture: their coefficients in a basis, those that look alike, and the way back.

A block is known by its place, counted in reading order over the (H - S + 1) x (W - S + 1) places where it fits.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

FAR = 1e6  # added to the distance of places outside the picture
GRID = 4  # references a line of a tile, in both directions, that are compared with the same candidates


def coefficients(x: Tensor, basis: Tensor) -> Tensor:
    """Transform the blocks at all places.

    Args:
        x: one picture (C, H, W).
        basis: (S², S²), rows analyse.

    Returns:
        (places, C · S²): one row a place, channel after channel.

    Source: danqing.
    """
    side = round(len(basis) ** 0.5)
    views = x.unfold(1, side, 1).unfold(2, side, 1).permute(0, 3, 4, 1, 2)  # (C, S, S, H', W')
    out = x.new_empty(views.shape[3] * views.shape[4], len(x), len(basis))
    for channel, view in enumerate(views):
        torch.mm(view.reshape(len(basis), -1).T, basis.T, out=out[:, channel])
    return out.flatten(1)


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
    back = inverse * window.reshape(-1, 1)
    sums = total.new_zeros(channels, height, width)
    for channel, blocks in enumerate(total.view(-1, channels, len(back)).unbind(1)):
        pixels = (back @ blocks.T).view(side, side, rows, columns)
        for down in range(side):
            for right in range(side):
                sums[channel, down : down + rows, right : right + columns] += pixels[down, right]
    planes = weights.T.reshape(channels, 1, rows, columns)
    norm = functional.conv2d(planes, window.flip(0, 1)[None, None], padding=side - 1)[:, 0]
    return sums / norm


def alike(features: Tensor, count: int, step: int, radius: int) -> Tensor:
    """Find the blocks that look most like each block of a coarse grid.

    Args:
        features: (H', W', K), what is compared, at every place of a block.
        count: how many to find for each, itself included.
        step: distance of the grid's lines; references at the end of a line may appear twice.
        radius: how far is looked at least; up to 2 · GRID · step - 1 + radius.

    Returns:
        (count, groups) places, nearest first.

    Source: K. Dabov et al., 2007, eq. 4; as matrix products: danqing.
    """
    height, width, terms = features.shape
    tile = GRID * step
    side = tile - step + 1 + 2 * radius
    lines, rows = (-(-(-(-(size - 1) // step) + 1) // GRID) for size in (height, width))  # the last place has one too
    size = features.square().sum(2, keepdim=True)
    margins = (0, 0, radius, rows * tile + side - width, radius, lines * tile + side - height)
    known = functional.pad(torch.cat((features, size), 2), margins)
    outside = functional.pad(size.new_zeros(height, width), margins[2:], value=FAR)
    known[..., -1] += outside
    down = torch.arange(lines * GRID, device=features.device).mul_(step).clamp_(max=height - 1)
    right = torch.arange(rows * GRID, device=features.device).mul_(step).clamp_(max=width - 1)
    found = []
    for line in range(lines):
        wanted = features[down[line * GRID : (line + 1) * GRID, None], right]  # (GRID, rows · GRID, K)
        wanted = wanted.view(GRID, rows, GRID, terms).transpose(0, 1).reshape(rows, GRID * GRID, terms)
        strip = known[line * tile : line * tile + side]
        offered = strip.unfold(1, side, tile)[:, :rows].permute(1, 0, 3, 2).reshape(rows, side * side, terms + 1)
        distances = torch.baddbmm(offered[:, None, :, -1], wanted, offered[..., :-1].transpose(1, 2), alpha=-2)
        own = (down[line * GRID : (line + 1) * GRID, None] - line * tile + radius) * side
        own = own + (right.view(rows, 1, GRID) - torch.arange(rows)[:, None, None] * tile + radius)
        distances.scatter_(2, own.view(rows, -1, 1), -FAR)
        best = distances.topk(count, 2, largest=False)[1]  # (rows, GRID², count)
        y = torch.div(best, side, rounding_mode="floor") + (line * tile - radius)
        x = best % side + (torch.arange(rows, device=best.device)[:, None, None] * tile - radius)
        found.append((y * width + x).permute(2, 0, 1).reshape(count, -1))
    return torch.cat(found, 1)

"""3x3 convolutions with a quarter of the multiplications: tiles of 6x6 pixels give 4x4 results by 36 products.

Source: A. Lavin, S. Gray, "Fast algorithms for convolutional neural networks", 2016, section 4.3, F(4x4, 3x3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from danqing.maths.full_precision import full_precision

OUT, IN = 4, 6  # sides of a tile, of the result and of what it is computed from
STRIP = 64  # tiles worked on together where nothing is learned: their numbers stay near the processor


@full_precision
def convolved(x: Tensor, weight: Tensor) -> Tensor:
    """Slide 3x3 kernels over maps, zeros around them, as a convolution layer with padding 1 does; differentiable.

    Args:
        x: (B, C, H, W), float32.
        weight: (O, C, 3, 3).

    Returns:
        (B, O, H, W) in channels-last memory, within about 1e-5 of the largest value of the plain sum.

    Source: Lavin and Gray 2016; the gradients are the transposed steps.
    """
    if not learns(x, weight):
        return _in_strips(x, weight)
    result: Tensor = _Convolution.apply(x, weight)
    return result


def learns(x: Tensor, weight: Tensor) -> bool:
    """Whether gradients will be asked for."""
    return torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)


def _in_strips(x: Tensor, weight: Tensor) -> Tensor:
    """The same without gradients, a few lines of tiles at a time in memory that is used again."""
    (batch, channels, height, width), outputs = x.shape, len(weight)
    down, right = -(-height // OUT), -(-width // OUT)
    lines = max(1, min(down, STRIP // right))
    kernels = (_KERNEL @ weight.reshape(-1, 9).T).view(IN**2, outputs, channels).transpose(1, 2)
    whole = x.new_empty(batch, OUT * down, OUT * right, outputs)
    strip = x.new_zeros(1, OUT * lines + 2, OUT * right + 2, channels)
    tiles = _windows(strip, lines, right)
    seen, at_points = x.new_empty(2, *tiles.shape)
    product = x.new_empty(IN**2, lines * right, outputs)
    made = x.new_empty(OUT**2, lines * right * outputs)
    placed = made.view(OUT, OUT, lines, right, outputs).permute(2, 0, 3, 1, 4)
    results = whole.view(batch, down, OUT, right, OUT, outputs)
    for picture, result in zip(x.permute(0, 2, 3, 1), results, strict=True):
        for first in range(0, down, lines):
            top = OUT * first - 1
            inside = slice(max(top, 0), min(top + strip.shape[1], height))
            strip[0, : inside.start - top] = 0
            strip[0, inside.start - top : inside.stop - top, 1 : width + 1] = picture[inside]
            strip[0, inside.stop - top :] = 0
            seen.copy_(tiles)
            torch.mm(_BEFORE, seen.view(IN**2, -1), out=at_points.view(IN**2, -1))
            torch.bmm(at_points.view(IN**2, -1, channels), kernels, out=product)
            torch.mm(_AFTER, product.view(IN**2, -1), out=made)
            result[first : first + lines] = placed[: down - first]
    return whole[:, :height, :width].permute(0, 3, 1, 2)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        (batch, channels, height, width), outputs = x.shape, len(weight)
        down, right = -(-height // OUT), -(-width // OUT)
        kernels = (_KERNEL @ weight.reshape(-1, 9).T).view(IN**2, outputs, channels)
        at_points = (_BEFORE @ _tiles(x, down, right)).view(IN**2, -1, channels)
        product = torch.bmm(at_points, kernels.transpose(1, 2)).view(IN**2, -1)
        ctx.save_for_backward(at_points, kernels)
        ctx.shape = x.shape
        tiles = (_AFTER @ product).view(OUT, OUT, batch, down, right, outputs)
        whole = tiles.permute(2, 3, 0, 4, 1, 5).reshape(batch, OUT * down, OUT * right, outputs)
        return whole[:, :height, :width].permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:  # type: ignore[override]
        at_points, kernels = ctx.saved_tensors
        batch, channels, height, width = ctx.shape
        outputs, down, right = gradient.shape[1], -(-height // OUT), -(-width // OUT)
        whole = gradient.permute(0, 2, 3, 1)
        if (height, width) != (OUT * down, OUT * right):
            whole = gradient.new_zeros(batch, OUT * down, OUT * right, outputs)
            whole[:, :height, :width] = gradient.permute(0, 2, 3, 1)
        tiles = whole.reshape(batch, down, OUT, right, OUT, outputs).permute(2, 4, 0, 1, 3, 5).reshape(OUT**2, -1)
        product = (_AFTER.T @ tiles).view(IN**2, -1, outputs)
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            seen = _BEFORE.T @ torch.bmm(product, kernels).view(IN**2, -1)
            of_x = _overlaid(seen.view(IN, IN, batch, down, right, channels))[..., 1 : height + 1, 1 : width + 1]
        if ctx.needs_input_grad[1]:
            changes = torch.bmm(product.transpose(1, 2), at_points).view(IN**2, -1)
            of_weight = (_KERNEL.T @ changes).T.reshape(outputs, channels, 3, 3)
        return of_x, of_weight


def _tiles(x: Tensor, down: int, right: int) -> Tensor:
    """The overlapping tiles of maps with zeros around: one row a pixel of a tile, (36, B · down · right · C)."""
    batch, channels, height, width = x.shape
    framed = x.new_zeros(batch, OUT * down + 2, OUT * right + 2, channels)
    framed[:, 1 : height + 1, 1 : width + 1] = x.permute(0, 2, 3, 1)
    return _windows(framed, down, right).reshape(IN**2, -1)


def _windows(framed: Tensor, down: int, right: int) -> Tensor:
    """The overlapping tiles of framed maps (B, H, W, C) without copying them: (6, 6, B, down, right, C)."""
    batch, channels = len(framed), framed.shape[3]
    picture, row, column, _ = framed.stride()
    strides = (row, column, picture, OUT * row, OUT * column, 1)
    return framed.as_strided((IN, IN, batch, down, right, channels), strides)


def _overlaid(tiles: Tensor) -> Tensor:
    """Add tiles (6, 6, B, down, right, C) up where they overlap: maps (B, C, H, W) and a frame."""
    _, _, batch, down, right, channels = tiles.shape
    whole = tiles.new_zeros(batch, down + 1, OUT, right + 1, OUT, channels)
    cells = whole.permute(2, 4, 0, 1, 3, 5)
    cells[:, :, :, :-1, :-1] += tiles[:OUT, :OUT]
    cells[:2, :, :, 1:, :-1] += tiles[OUT:, :OUT]
    cells[:, :2, :, :-1, 1:] += tiles[:OUT, OUT:]
    cells[:2, :2, :, 1:, 1:] += tiles[OUT:, OUT:]
    return whole.view(batch, OUT * (down + 1), OUT * (right + 1), channels).permute(0, 3, 1, 2)


def _square(rows: Sequence[Sequence[float]]) -> Tensor:
    """The same transform in both directions of a flattened tile."""
    matrix = torch.tensor(rows, dtype=torch.float64, device="cpu")
    return torch.kron(matrix, matrix).float()


_BEFORE = _square(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_KERNEL = _square(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
_AFTER = _square([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])

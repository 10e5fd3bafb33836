"""Convolution layers that take the short way on small maps in float32; their weights are those of torch's layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.maths.convolution import LARGEST, convolve_small, correlate_small

FEW = 16  # channels below which the short way does not pay


class Down(nn.Conv2d):
    """Halve a map with a 4x4 convolution of stride 2."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if not short_way(x, x.shape[-1] // 2 + 1, self.in_channels):
            return super().forward(x)
        phases = F.pixel_unshuffle(F.pad(x, (1, 1, 1, 1)), 2)
        kernels = F.pixel_unshuffle(self.weight, 2).transpose(0, 1)  # (4 C, O, 2, 2)
        return _with_bias(correlate_small(phases, kernels), self.bias)


class Up(nn.ConvTranspose2d):
    """Double a map with a 4x4 transposed convolution of stride 2."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if not short_way(x, x.shape[-1] + 1, self.out_channels):
            return super().forward(x, output_size)
        phases = convolve_small(x, F.pixel_unshuffle(self.weight, 2))  # (B, 4 O, H + 1, H + 1)
        return _with_bias(F.pixel_shuffle(phases, 2)[:, :, 1:-1, 1:-1], self.bias)


class Spread(nn.ConvTranspose2d):
    """Keep a map's size with a 4x4 transposed convolution of stride 1, one row and column cut before and two after."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 4, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if not short_way(x, x.shape[-1] + 3, self.out_channels):
            return super().forward(x, output_size)[:, :, 1:-2, 1:-2]
        return _with_bias(convolve_small(x, self.weight, (1, 2)), self.bias)


def short_way(x: Tensor, points: int, channels: int) -> bool:
    """Whether few multiplications beat the processor's own convolution: float32, few points, many channels."""
    return (
        points <= LARGEST
        and channels >= FEW
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and x.shape[-1] == x.shape[-2]
        and not torch.is_autocast_enabled("cpu")
    )


def _with_bias(x: Tensor, bias: Tensor | None) -> Tensor:
    return x if bias is None else x + bias.view(1, -1, 1, 1)

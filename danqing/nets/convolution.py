"""Convolution layers that take the short way on small maps; their weights are those of torch's layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.core.learned.manner import convolution_way, multiplies_tiles
from danqing.maths import winograd
from danqing.maths.convolution import LARGEST, convolve_small, correlate_small
from danqing.nets.precision import as_autocast

FEW = 16  # channels below which the short way does not pay
PAYS = 5.0  # times fewer multiplications, from which those of float32 cost less than all of bf16's
WIDE, WIDER = 64, 96  # the same for 3x3 convolutions, while they learn and when they do not


class Same(nn.Conv2d):
    """Keep a map's size with a 3x3 convolution, without bias."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return winograd.convolved(x, self.weight) if _wide_enough(self, x) else super().forward(x)


class Down(nn.Conv2d):
    """Halve a map with a 4x4 convolution of stride 2."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        half, odd = divmod(x.shape[-1], 2)
        if odd or not short_way(x, half + 1, self.in_channels, (2 * half / (half + 1)) ** 2):
            return super().forward(x)
        kernels = split_phases(self.weight).transpose(0, 1)  # (4 C, O, 2, 2)
        return _with_bias(correlate_small(split_phases(F.pad(x.float(), (1, 1, 1, 1))), kernels), self.bias)


class Up(nn.Conv2d):
    """Double a map between its pixels, then convolve it by 3x3: all pixels of what comes out are made alike.

    Source: Odena et al. 2016, "Deconvolution and checkerboard artifacts"; bilinear: Karras et al. 2018, section 4.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear")
        if not _wide_enough(self, x):
            return super().forward(x)
        return _with_bias(winograd.convolved(x, self.weight), self.bias)


class FreeUp(nn.ConvTranspose2d):
    """Double a map with a 4x4 transposed convolution of stride 2: even and odd pixels are made in ways of their own.

    Faster, and as tutorials have it; but what a critic teaches leaves a lattice on all that is painted.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 4, stride=2, padding=1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        points = x.shape[-1] + 1
        if not short_way(x, points, self.out_channels, (2 * x.shape[-1] / points) ** 2):
            return super().forward(x, output_size)
        phases = convolve_small(x.float(), split_phases(self.weight))  # (B, 4 O, H + 1, H + 1)
        cropped = join_phases(phases)[:, :, 1:-1, 1:-1].contiguous(memory_format=torch.channels_last)
        return _with_bias(cropped, self.bias)


class Spread(nn.ConvTranspose2d):
    """Keep a map's size with a 4x4 transposed convolution of stride 1, one row and column cut before and two after."""

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 4, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        points = x.shape[-1] + 3
        if not short_way(x, points, self.out_channels, (4 * x.shape[-1] / points) ** 2):
            return super().forward(x, output_size)[:, :, 1:-2, 1:-2]
        return _with_bias(convolve_small(x.float(), self.weight, (1, 2)), self.bias)


def _wide_enough(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether few multiplications beat the processor's own 3x3 convolution: float32 and many channels."""
    enough = WIDE if winograd.learns(x, layer.weight) else WIDER
    wide = min(layer.in_channels, layer.out_channels) >= enough
    return wide and computes_plainly(x) and convolution_way() != "own"


def short_way(x: Tensor, points: int, channels: int, saved: float) -> bool:
    """Whether few multiplications beat the processor's own convolution: few points, many channels.

    They are float32's. Where the nets around compute in bf16, which is twice as quick, it takes ``saved`` times fewer
    multiplications, at least five; and where there are units for tiles, no number pays.
    """
    small = points <= LARGEST and channels >= FEW and x.shape[-1] == x.shape[-2]
    if not small or x.device.type != "cpu" or convolution_way() != "rule":
        return False
    return computes_plainly(x) or (_computes_bf16() and saved >= PAYS and not multiplies_tiles())


def computes_plainly(x: Tensor) -> bool:
    """Whether a processor computes in float32; elsewhere there are units for products, which need no short way."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")


def _computes_bf16() -> bool:
    """Whether autocast makes convolutions compute in bf16 here."""
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16


def split_phases(x: Tensor) -> Tensor:
    """Part even and odd rows and columns: (B, C, H, W) to (B, 4 C, H / 2, W / 2), channels last."""
    batch, channels, height, width = x.shape
    grid: Tensor = x.permute(0, 2, 3, 1).unflatten(2, (width // 2, 2)).unflatten(1, (height // 2, 2))
    return grid.transpose(2, 3).reshape(batch, height // 2, width // 2, 4 * channels).permute(0, 3, 1, 2)


def join_phases(x: Tensor) -> Tensor:
    """Undo :func:`split_phases`."""
    batch, channels, height, width = x.shape
    grid: Tensor = x.permute(0, 2, 3, 1).unflatten(3, (2, 2, channels // 4)).transpose(2, 3)
    return grid.reshape(batch, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)


def _with_bias(x: Tensor, bias: Tensor | None) -> Tensor:
    """With a layer's bias, in the type that the layer gives."""
    return as_autocast(x if bias is None else x + bias.view(1, -1, 1, 1))

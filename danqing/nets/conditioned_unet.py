"""A compact U-net for painting: it computes from half size down; what it is told (a time, a class) shifts its maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.nets.convolution import Same
from danqing.nets.precision import as_autocast

GROUP = 16  # channels normalised together
PERIODS = 1000.0  # between the fastest and the slowest wave that a time is told by


class ConditionedUNet(nn.Module):
    """Map pictures (B, inputs, H, W) of any size to (B, outputs, H, W), as told by vectors (B, told).

    The picture is folded to half its size with four times the channels, so that no convolution runs at full size;
    what is small already need not be.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        widths: channels of each level, from fine to coarse, multiples of 16.
        blocks: residual blocks of each level on the way down, at the bottom, and on the way up.
        told: length of what it is told; 0: nothing.
        fold: by how much the side is folded.

    Raises:
        ParameterError: if a width is no multiple of 16.

    Source: shape: Ronneberger et al. 2015; blocks and how they are told: Dhariwal & Nichol 2021, section 3.1;
    pixel-unshuffle: Shi et al. 2016.
    """

    def __init__(
        self, inputs: int, outputs: int, widths: Sequence[int], blocks: int, told: int = 0, fold: int = 2
    ) -> None:
        super().__init__()
        for width in widths:
            if width % GROUP:
                raise ParameterError(f"{width} is no multiple of {GROUP}", where="width")
        self.fold, self.grid = fold, fold * 2 ** (len(widths) - 1)
        self.head = Same(fold**2 * inputs, widths[0])
        self.before = nn.ModuleList(_level(width, blocks, told) for width in widths[:-1])
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in pairwise(widths))
        self.bottom = _level(widths[-1], blocks, told)
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, 2) for fine, coarse in pairwise(widths))
        self.after = nn.ModuleList(_level(width, blocks, told) for width in widths[:-1])
        self.norm = nn.GroupNorm(widths[0] // GROUP, widths[0])
        self.tail = Same(widths[0], fold**2 * outputs)
        nn.init.normal_(self.tail.weight, std=0.1 / math.sqrt(9 * widths[0]))

    def forward(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.grid, 0, -height % self.grid), mode="replicate")
        x = self.head(as_autocast(F.pixel_unshuffle(x, self.fold)).contiguous(memory_format=torch.channels_last))
        across = []
        for blocks, down in zip(self.before, self.down, strict=True):
            x = _through(blocks, x, told)
            across.append(x)
            x = down(x)
        x = _through(self.bottom, x, told)
        for level in reversed(range(len(across))):
            x = _through(self.after[level], self.up[level](x) + across[level], told)
        made: Tensor = F.pixel_shuffle(self.tail(F.silu(self.norm(x))), self.fold)
        return made[..., :height, :width].float()


class Block(nn.Module):
    """Two convolutions whose result is added to what came in; what is told scales and shifts between them."""

    def __init__(self, width: int, told: int = 0) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(width // GROUP, width) for _ in range(2))
        self.first, self.second = Same(width, width), Same(width, width)
        self.tell = nn.Linear(told, 2 * width) if told else None
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.normal_(self.second.weight, std=0.1 / math.sqrt(9 * width))  # near the identity at first

    def forward(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        y = self.norms[1](self.first(F.silu(self.norms[0](x))))
        if self.tell is not None:
            scale, shift = self.tell(told)[:, :, None, None].to(y.dtype).chunk(2, 1)
            y = torch.addcmul(shift, y, 1 + scale)
        change: Tensor = self.second(F.silu(y))
        return x + change


class Times(nn.Module):
    """Tell times (B,) in [0, 1] as vectors (B, told), by waves of many periods."""

    def __init__(self, told: int, waves: int = 32) -> None:
        super().__init__()
        self.waves = waves
        self.layers = nn.Sequential(nn.Linear(2 * waves, told), nn.SiLU(), nn.Linear(told, told))

    def forward(self, t: Tensor) -> Tensor:
        speeds = PERIODS ** (torch.arange(self.waves, device=t.device) / (self.waves - 1))
        angles = t.float()[:, None] * speeds
        told: Tensor = self.layers(torch.cat([angles.sin(), angles.cos()], 1))
        return told.float()


def _level(width: int, blocks: int, told: int) -> nn.ModuleList:
    return nn.ModuleList(Block(width, told) for _ in range(blocks))


def _through(blocks: nn.Module, x: Tensor, told: Tensor | None) -> Tensor:
    for block in blocks.children():
        x = block(x, told)
    return x

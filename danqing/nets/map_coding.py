"""The two halves of an autoencoder whose latents are maps: pictures are made small by convolutions, and large again."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.core.pictures.contract import Images
from danqing.nets.conditioned_unet import GROUP, Block
from danqing.nets.convolution import Same, Up
from danqing.nets.precision import as_autocast

WIDEST = 4  # times the width at half size


class MapEncoder(nn.Module):
    """Make small maps (B, outputs, H', W') of pictures (B, channels, H, W) of any size; sides are rounded up.

    Args:
        channels: of the pictures.
        outputs: channels of the maps.
        width: channels at half size, a multiple of 16; they double with every further halving, up to four times.
        halvings: how often the sides are halved; the first time by folding, without a convolution at full size.
        blocks: residual blocks of each level.

    Source: Rombach et al. 2022, arXiv:2112.10752, appendix E, without attention; pixel-unshuffle: Shi et al. 2016.
    """

    def __init__(self, channels: int, outputs: int, width: int, halvings: int, blocks: int) -> None:
        super().__init__()
        widths = _widths(width, halvings)
        self.grid = 2**halvings
        self.head = Same(4 * channels, widths[0])
        self.levels = nn.ModuleList(_level(each, blocks) for each in widths)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in pairwise(widths))
        self.norm = _norm(widths[-1])
        self.tail = Same(widths[-1], outputs)

    def forward(self, x: Images) -> Tensor:
        height, width = x.shape[-2:]
        x = F.pad(x * 2 - 1, (0, -width % self.grid, 0, -height % self.grid), mode="replicate")
        x = self.head(as_autocast(F.pixel_unshuffle(x, 2)).contiguous(memory_format=torch.channels_last))
        for level, blocks in enumerate(self.levels):
            x = _through(blocks, x if level == 0 else self.down[level - 1](x))
        made: Tensor = self.tail(F.silu(self.norm(x)))
        return made.float()


class MapDecoder(nn.Module):
    """Make pictures of small maps (B, inputs, H', W'), enlarged between their pixels; at full size half as wide.

    Args:
        inputs: channels of the maps.
        channels: of the pictures.
        width: as of the encoder.
        halvings: how often the sides are doubled.
        blocks: residual blocks of each level, but for the full size.

    Source: as of the encoder.
    """

    def __init__(self, inputs: int, channels: int, width: int, halvings: int, blocks: int) -> None:
        super().__init__()
        widths = _widths(width, halvings)[::-1]
        self.head = Same(inputs, widths[0])
        self.levels = nn.ModuleList(_level(each, blocks) for each in widths)
        self.up = nn.ModuleList(Up(coarse, fine) for coarse, fine in pairwise([*widths, width // 2]))
        self.norm = _norm(width // 2)
        self.tail = nn.Conv2d(width // 2, channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Pictures around 0 to 1, not held to it, (B, channels, H' · 2^halvings, W' · 2^halvings)."""
        x = self.head(as_autocast(z).contiguous(memory_format=torch.channels_last))
        for blocks, up in zip(self.levels, self.up, strict=True):
            x = up(_through(blocks, x))
        made: Tensor = self.tail(F.silu(self.norm(x)))
        return made.float() + 0.5


def _widths(width: int, halvings: int) -> list[int]:
    return [width * min(WIDEST, 2**level) for level in range(halvings)]


def _level(width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(blocks)))


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(max(1, width // GROUP), width)


def _through(blocks: nn.Module, x: Tensor) -> Tensor:
    made: Tensor = blocks(x)
    return made


__all__ = ["MapDecoder", "MapEncoder"]

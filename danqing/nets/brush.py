"""A small U-shaped net that paints a photograph anew, its layers driven by a code that says what a painting is like."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.core.pictures.contract import Images
from danqing.maths.colour import luma

GRID = 8  # px: sides are filled up to a multiple of it
REACH = 128  # px: no farther does a pixel of the result look; the convolutions add up to 113
COARSE = 3  # blocks at an eighth of the size, where strokes are laid out
CODE = 128  # numbers that drive the layers
USUAL = 0.3  # of a number of a style code
CALM = 0.1  # times that style codes are taken: thousands of numbers move together when their weights learn


class Driven(nn.Module):
    """A residual block: normalise the channels at each place, scale and shift them by the code, bend, convolve; twice.

    Each place is normalised for itself, so that a picture may be painted tile by tile.

    Source: D. Ulyanov et al., "Instance normalization", 2016, and V. Dumoulin et al., "A learned representation for
    artistic style", 2017, eq. 5, with the statistics of a place, not of a map.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.drive = nn.Linear(CODE, 4 * width)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.normal_(self.second.weight, std=0.3 / (3 * width**0.5))
        nn.init.normal_(self.drive.weight, std=0.02)
        nn.init.zeros_(self.drive.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        scale, shift, scale2, shift2 = self.drive(code).chunk(4, 1)
        h = self.first(F.silu(_driven(x, scale, shift)))
        change: Tensor = self.second(F.silu(_driven(h, scale2, shift2)))
        return x + change


class Brush(nn.Module):
    """Map pictures (B, 3, H, W) of any size and codes (B, C) to pictures of the same size, not yet clipped.

    Nothing is convolved at full size: pictures are folded to half of it. Colours are painted at half the size, and
    brightness alone at the full one, so that no noise of colours can be painted.

    Args:
        inputs: numbers of a style code.
        widths: channels at a half, a quarter and an eighth of the size.

    Source: danqing; shape: O. Ronneberger et al., "U-Net", 2015.
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.code = nn.Sequential(nn.Linear(inputs, CODE), nn.SiLU(), nn.Linear(CODE, CODE), nn.SiLU())
        first = self.code[0]
        assert isinstance(first, nn.Linear)
        nn.init.normal_(first.weight, std=1 / (CALM * USUAL * inputs**0.5))
        self.head = nn.Conv2d(12, fine, 3, padding=1)
        self.before = Driven(middle)
        self.down = nn.ModuleList([nn.Conv2d(fine, middle, 2, 2), nn.Conv2d(middle, coarse, 2, 2)])
        self.bottom = nn.ModuleList(Driven(coarse) for _ in range(COARSE))
        self.up = nn.ModuleList([nn.Conv2d(middle, fine, 1), nn.Conv2d(coarse, middle, 1)])
        self.after = nn.ModuleList([Driven(fine), Driven(middle)])
        self.tail = nn.Conv2d(fine, 3 + 4, 3, padding=1)
        nn.init.normal_(self.tail.weight, std=0.01 / (3 * fine**0.5))  # the photograph, nearly, at first
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, x: Images, style: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = F.pad(x, (0, -width % GRID, 0, -height % GRID), mode="replicate")
        code = self.code(CALM * style)
        maps = self.head(F.pixel_unshuffle(2 * x - 1, 2).contiguous(memory_format=torch.channels_last))
        middle = self.before(self.down[0](maps), code)
        across, maps = (maps, middle), self.down[1](middle)
        for block in self.bottom:
            maps = block(maps, code)
        for level in (1, 0):
            maps = self.after[level](across[level] + _doubled(self.up[level](maps)), code)
        colours, brightness = self.tail(maps).float().tanh().split((3, 4), 1)
        half = F.avg_pool2d(x, 2)
        detail = luma(x - _doubled(half))
        made: Tensor = _doubled(half + colours) + detail + F.pixel_shuffle(brightness, 2)
        return made[..., :height, :width]


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _driven(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalise the channels at each place, then scale and shift them."""
    normed = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2]).permute(0, 3, 1, 2)
    return torch.addcmul(shift[:, :, None, None], normed, 1 + scale[:, :, None, None])


__all__ = ["REACH", "Brush"]

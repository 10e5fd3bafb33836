"""A small U-shaped net that paints a photograph anew, its layers driven by a code that says what a painting is like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

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
LEAST = 1e-5  # of a variance that is divided by
CALM = 0.1  # times that style codes are taken: thousands of numbers move together when their weights learn


class Evenness(NamedTuple):
    """What maps (B, C, H, W) are normalised by: their means and deviations, each (B or 1, C, 1, 1)."""

    mean: Tensor
    deviation: Tensor


Norm = Literal["maps", "places"]


class Evening:
    """Normalises the maps of one painting in turn: by their own statistics, or by those that another's had.

    Args:
        norm: each map over the picture; or the channels at each place, as nets from before do.
        known: the statistics of every map, if they are not to be its own.
        together: take them over the whole batch, of parts of one picture.
    """

    def __init__(self, norm: Norm, known: Sequence[Evenness] | None = None, together: bool = False) -> None:
        self.norm, self.known, self.together = norm, None if known is None else iter(known), together
        self.seen: list[Evenness] = []

    def __call__(self, x: Tensor) -> Tensor:
        if self.norm == "places":
            return F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2]).permute(0, 3, 1, 2)
        own = _evenness(x, self.together) if self.known is None else next(self.known)
        self.seen.append(own)
        return (x - own.mean) / own.deviation


class Driven(nn.Module):
    """A residual block: normalise maps, scale and shift them by the code, bend, convolve; twice.

    Source: D. Ulyanov et al., "Instance normalization", 2016, and V. Dumoulin et al., "A learned representation for
    artistic style", 2017, eq. 5.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.drive = nn.Linear(CODE, 4 * width)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.normal_(self.second.weight, std=0.3 / (3 * width**0.5))
        nn.init.normal_(self.drive.weight, std=0.02)
        nn.init.zeros_(self.drive.bias)

    def forward(self, x: Tensor, code: Tensor, even: Evening) -> Tensor:
        scale, shift, scale2, shift2 = self.drive(code)[..., None, None].chunk(4, 1)
        h = self.first(F.silu(torch.addcmul(shift, even(x), 1 + scale)))
        change: Tensor = self.second(F.silu(torch.addcmul(shift2, even(h), 1 + scale2)))
        return x + change


class Brush(nn.Module):
    """Map pictures (B, 3, H, W) of any size and codes (B, C) to pictures of the same size, not yet clipped.

    Nothing is convolved at full size: pictures are folded to half of it. Colours are painted at half the size, and
    brightness alone at the full one, so that no noise of colours can be painted.

    Args:
        inputs: numbers of a style code.
        widths: channels at a half, a quarter and an eighth of the size.
        norm: whether maps are normalised over the picture, or the channels at each place.

    Source: danqing; shape: O. Ronneberger et al., "U-Net", 2015.
    """

    def __init__(self, inputs: int, widths: Sequence[int], norm: Norm = "maps") -> None:
        super().__init__()
        self.norm = norm
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

    def forward(self, x: Images, style: Tensor, known: Sequence[Evenness] | None = None) -> Images:
        """Paint, with maps evened by their own statistics or by known ones."""
        return self._painted(x, style, Evening(self.norm, known))

    def evenness(self, parts: Images, style: Tensor) -> list[Evenness]:
        """What the maps of a picture are evened by, told by parts of it, so that all may be painted alike."""
        even = Evening(self.norm, together=True)
        self._painted(parts, style, even)
        return even.seen

    def _painted(self, x: Images, style: Tensor, even: Evening) -> Images:
        height, width = x.shape[2:]
        x = F.pad(x, (0, -width % GRID, 0, -height % GRID), mode="replicate")
        code = self.code(CALM * style)
        maps = self.head(F.pixel_unshuffle(2 * x - 1, 2).contiguous(memory_format=torch.channels_last))
        middle = self.before(self.down[0](maps), code, even)
        across, maps = (maps, middle), self.down[1](middle)
        for block in self.bottom:
            maps = block(maps, code, even)
        for level in (1, 0):
            maps = self.after[level](across[level] + _doubled(self.up[level](maps)), code, even)
        colours, brightness = self.tail(maps).float().tanh().split((3, 4), 1)
        half = F.avg_pool2d(x, 2)
        detail = luma(x - _doubled(half))
        made: Tensor = _doubled(half + colours) + detail + F.pixel_shuffle(brightness, 2)
        return made[..., :height, :width]


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _evenness(x: Tensor, together: bool) -> Evenness:
    variance, mean = torch.var_mean(x.float(), (0, 2, 3) if together else (2, 3), correction=0, keepdim=True)
    return Evenness(mean.to(x), (variance + LEAST).sqrt().to(x))


__all__ = ["REACH", "Brush", "Evenness", "Norm"]

"""A net that guesses the colours of grey pictures from what they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.disk import hash_of
from danqing.core.pictures.contract import Images, Mask
from danqing.core.uses import used
from danqing.maths.colour import luma
from danqing.maths.guided import enlarged_along
from danqing.maths.hints import spread
from danqing.nets.dropout import dropout
from danqing.nets.efficientnet_lite import CHANNELS, bundled_weights, shared_lite0
from danqing.nets.unet import Residual

FOLD = 4  # px: the finest features are so far apart
LOOK = 160  # px: the shorter side of a picture that is looked at; larger ones are shrunk
HIDDEN = 0.3  # share of the features that is hidden while learning
LOOKS = 6  # at each of which other features are hidden
FAINT = 0.02  # colour that is hardly seen
UNSURE = 0.6  # share of the colour that is left, below which it counts as unknown
CALM = 9  # px: window over which the doubt is evened out


class Guess(NamedTuple):
    """Colours to be added (B, 3, H, W), and on which share (B,) of each picture they are unknown."""

    colours: Tensor
    unknown: Tensor


class Colouriser(nn.Module):
    """Add colours to pictures (B, 3, H, W) that are grey but where a mask (B, 1, H, W) says that colours are true.

    A network that tells the thousand classes of ImageNet apart looks at the picture, shrunk, and is not changed; what
    it sees at four sizes, coarse to fine, and the picture itself become a small map of colours, which is enlarged along
    the picture's edges. The looking network's weights are not among these: they come with a package of their own.

    Args:
        width: channels of every level.

    Source: G. Larsson et al., "Learning representations for automatic colorization", 2016 (features of a classifier);
    T.-Y. Lin et al., "Feature pyramid networks for object detection", 2017, section 3 (from coarse to fine).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(channels, width, 1) for channels in CHANNELS)
        self.scene = nn.Linear(CHANNELS[-1], width)
        self.near = nn.Conv2d(4 * FOLD**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(width) for _ in CHANNELS)
        self.paint = nn.Conv2d(width, 3, 3, padding=1)
        nn.init.zeros_(self.paint.weight)  # grey at first
        nn.init.zeros_(self.paint.bias)  # type: ignore[arg-type]

    def forward(self, x: Images, mask: Mask, rng: Generator | None = None) -> Tensor:
        """What is to be added, (B, 3, H, W); with a generator, some of the features are hidden."""
        return self._at_its_size(x, mask, lambda x, mask: self._painted(x, mask, rng))

    def guess(self, x: Images, mask: Mask) -> Guess:
        """Colours of which the net is sure, and how sure, from looks at pictures and their mirror images.

        At each look other features are hidden. Where the looks differ by more than their colour, none is left, so that
        places whose colour could be any stay grey instead of blotched. Hints are believed, and spread to the edges.

        Source: Y. Gal, Z. Ghahramani, "Dropout as a Bayesian approximation", 2016 (looks); the factor s² / (s² + v) of
            a mean colour s and variances v is that of N. Wiener.
        """
        doubt = torch.zeros(())

        def paint(x: Images, mask: Mask) -> Tensor:
            nonlocal doubt
            looks = torch.stack([self._looked(x, mask, number) for number in range(LOOKS)])
            mean, spreads = looks.mean(0), looks.var(0).sum(1, keepdim=True)
            power = mean.square().sum(1, keepdim=True)
            sure = _calm(power / (power + spreads + FAINT**2))
            doubt = ((sure < UNSURE) & (spreads.sqrt() > FAINT)).float().mean((1, 2, 3))
            colours = mean * sure
            return colours + spread((x - luma(x) - colours) * mask, mask, luma(x)) if bool(mask.any()) else colours

        return Guess(self._at_its_size(x, mask, paint), doubt)

    def _looked(self, x: Images, mask: Mask, number: int) -> Tensor:
        """The colours at one look, the same at each time; every other one in a mirror."""
        rng = Generator().manual_seed(number)
        if number % 2 == 0:
            return self._painted(x, mask, rng)
        return self._painted(x.flip(3), mask.flip(3), rng).flip(3)

    def _at_its_size(self, x: Images, mask: Mask, paint: Callable[[Images, Mask], Tensor]) -> Tensor:
        """Paint a picture as large as it is looked at, and enlarge its colours along the picture's edges."""
        factor = LOOK / min(x.shape[-2:])
        if factor >= 1:
            return paint(x, mask)
        sides = [max(LOOK, round(side * factor)) for side in x.shape[-2:]]
        grey = luma(x)
        small = _small(grey, sides)
        told = _small(mask, sides)
        colours = _small((x - grey) * mask, sides) / told.clamp(min=1e-3)
        return enlarged_along(paint(small + colours, (told > 0).to(x)), small, grey)

    def _painted(self, x: Images, mask: Mask, rng: Generator | None) -> Tensor:
        """The colours (B, 3, H, W) of pictures as large as they are looked at."""
        with torch.no_grad():
            levels = [F.layer_norm(level, level.shape[-1:]) for level in _seen(x)]
        if rng is not None:
            levels = [dropout(level, HIDDEN, rng) for level in levels]
        coarse = levels[-1]
        maps = self.scene(coarse.mean((1, 2)))[:, :, None, None]
        for level, lateral, block in reversed(list(zip(levels, self.lateral, self.blocks, strict=True))):
            sides = level.shape[1:3]
            coarser = F.interpolate(maps, size=sides, mode="bilinear", align_corners=False)
            maps = lateral(level.permute(0, 3, 1, 2)) + coarser
            if level is levels[0]:
                maps = maps + self.near(_folded(torch.cat([x, mask], 1), sides))
            maps = block(maps)
        colours = self.paint(F.relu(maps)).float()
        colours = F.interpolate(colours, size=x.shape[-2:], mode="bilinear", align_corners=False)
        return colours - luma(colours)  # brightness is known


def _seen(x: Images) -> list[Tensor]:
    """The classifier's features at four sizes, fine to coarse, channels last (B, h, w, C)."""
    used("efficientnet-lite0", sha256=hash_of(bundled_weights()))
    grey = x.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return [level.permute(0, 2, 3, 1) for level in shared_lite0(x.device).levels(grey)]


def _calm(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, CALM, 1, CALM // 2, count_include_pad=False)


def _small(x: Tensor, sides: list[int]) -> Tensor:
    return F.interpolate(x, size=sides, mode="bilinear", antialias=True, align_corners=False)


def _folded(x: Tensor, sides: torch.Size) -> Tensor:
    """Fold squares of FOLD px into channels; what is missing at the end is repeated."""
    height, width = x.shape[-2:]
    padded = F.pad(x, (0, FOLD * sides[1] - width, 0, FOLD * sides[0] - height), mode="replicate")
    return F.pixel_unshuffle(padded, FOLD)


__all__ = ["Colouriser", "Guess"]

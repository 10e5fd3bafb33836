"""A compact U-net for painting: it computes from half size down; what it is told (a time, a class) shifts its maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.maths.full_precision import full_precision
from danqing.nets.convolution import Same
from danqing.nets.doubling_painter import DoublingName
from danqing.nets.dropout import dropout
from danqing.nets.group_evening import GroupEvening, GroupEvenness, normalised
from danqing.nets.precision import as_autocast

GROUP = 16  # channels normalised together
PART = 256  # px: of what tells for a whole picture how its maps are normalised
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
        doubling: how maps are enlarged: free, by transposed convolutions and by unfolding, or smooth, between their
            pixels, so that a critic teaches no lattice; the last convolutions are at full size then.
        hiding: share of each block's inner activations set to zero where randomness is given.

    Raises:
        ParameterError: if a width is no multiple of 16.

    Source: shape: Ronneberger et al. 2015; blocks and how they are told: Dhariwal & Nichol 2021, section 3.1;
    pixel-unshuffle: Shi et al. 2016; between pixels: Odena et al. 2016.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        widths: Sequence[int],
        blocks: int,
        told: int = 0,
        fold: int = 2,
        doubling: DoublingName = "free",
        hiding: float = 0.0,
    ) -> None:
        super().__init__()
        for width in widths:
            if width % GROUP:
                raise ParameterError(f"{width} is no multiple of {GROUP}", where="width")
        self.fold, self.grid = fold, fold * 2 ** (len(widths) - 1)
        at_level = [2 * blocks * fold * 2**level for level in range(len(widths))]
        smooth = 2 * self.grid + 2 if doubling == "smooth" else 0
        self.reach: int = self.grid + 2 * fold + 2 * sum(at_level[:-1]) + at_level[-1] + smooth  # px, but for the norms
        self.head = Same(fold**2 * inputs, widths[0])
        self.before = nn.ModuleList(_level(width, blocks, told, hiding) for width in widths[:-1])
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in pairwise(widths))
        self.bottom = _level(widths[-1], blocks, told, hiding)
        self.up = nn.ModuleList(_doubling(doubling, coarse, fine) for fine, coarse in pairwise(widths))
        self.after = nn.ModuleList(_level(width, blocks, told, hiding) for width in widths[:-1])
        self.norm = nn.GroupNorm(widths[0] // GROUP, widths[0])
        self.tail = Same(widths[0], fold**2 * outputs) if doubling == "free" else FullSize(widths[0], inputs, outputs)
        nn.init.normal_(self.tail.weight, std=0.1 / math.sqrt(9 * self.tail.in_channels))

    def evenness(self, parts: Tensor) -> list[GroupEvenness]:
        """What the maps of a picture are normalised by, told by parts of it: :meth:`forward` paints its tiles so."""
        even = GroupEvening()
        self._painted(parts, None, even)
        return even.seen

    def forward(self, x: Tensor, told: Tensor | None = None, known: Sequence[GroupEvenness] | None = None) -> Tensor:
        """Paint, with maps normalised by their own statistics or by known ones."""
        return self._painted(x, told, None if known is None else GroupEvening(known))

    def hidden(self, x: Tensor, told: Tensor | None, rng: Generator) -> Tensor:
        """Paint as :meth:`forward`, with a share of the blocks' inner activations set to zero."""
        return self._painted(x, told, None, rng)

    def _painted(
        self, x: Tensor, told: Tensor | None, even: GroupEvening | None, rng: Generator | None = None
    ) -> Tensor:
        height, width = x.shape[-2:]
        given = F.pad(x, (0, -width % self.grid, 0, -height % self.grid), mode="replicate")
        x = self.head(as_autocast(F.pixel_unshuffle(given, self.fold)).contiguous(memory_format=torch.channels_last))
        across = []
        for blocks, down in zip(self.before, self.down, strict=True):
            x = _through(blocks, x, told, even, rng)
            across.append(x)
            x = down(x)
        x = _through(self.bottom, x, told, even, rng)
        for level in reversed(range(len(across))):
            x = _through(self.after[level], self.up[level](x) + across[level], told, even, rng)
        x = F.silu(normalised(self.norm, x, even))
        made = self.tail(x, given) if isinstance(self.tail, FullSize) else F.pixel_shuffle(self.tail(x), self.fold)
        return made[..., :height, :width].float()  # type: ignore[no-any-return]


class Between(nn.Conv2d):
    """Double maps between their pixels."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__(coarse, fine, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(super().forward(x), scale_factor=2.0, mode="bilinear")


class FullSize(nn.Conv2d):
    """Paint from maps that are enlarged between their pixels, and from the picture, whose edges those have lost."""

    def __init__(self, width: int, inputs: int, outputs: int) -> None:
        super().__init__(width // 2, outputs, 3, padding=1)
        self.fewer = nn.Conv2d(width, width // 2, 1)
        self.first = nn.Conv2d(width // 2 + inputs, width // 2, 3, padding=1)

    def forward(self, x: Tensor, given: Tensor) -> Tensor:  # type: ignore[override]
        large = F.interpolate(self.fewer(x), given.shape[2:], mode="bilinear")
        both = torch.cat([large, as_autocast(given)], 1).contiguous(memory_format=torch.channels_last)
        return super().forward(F.silu(self.first(both)))


class Block(nn.Module):
    """Two convolutions whose result is added to what came in; what is told scales and shifts between them."""

    def __init__(self, width: int, told: int = 0, hiding: float = 0.0) -> None:
        super().__init__()
        self.hiding = hiding
        self.norms = nn.ModuleList(nn.GroupNorm(width // GROUP, width) for _ in range(2))
        self.first, self.second = Same(width, width), Same(width, width)
        self.tell = nn.Linear(told, 2 * width) if told else None
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.normal_(self.second.weight, std=0.1 / math.sqrt(9 * width))  # near the identity at first

    def forward(
        self,
        x: Tensor,
        told: Tensor | None = None,
        even: GroupEvening | None = None,
        rng: Generator | None = None,
    ) -> Tensor:
        y = normalised(self.norms[1], self.first(F.silu(normalised(self.norms[0], x, even))), even)
        if self.tell is not None:
            scale, shift = full_precision(self.tell)(told)[:, :, None, None].to(y.dtype).chunk(2, 1)
            y = torch.addcmul(shift, y, 1 + scale)
        y = F.silu(y)
        if rng is not None:
            y = dropout(y, self.hiding, rng)
        change: Tensor = self.second(y)
        return x + change


class Times(nn.Module):
    """Tell times (B,) in [0, 1] as vectors (B, told), by waves of many periods."""

    def __init__(self, told: int, waves: int = 32) -> None:
        super().__init__()
        self.waves = waves
        self.layers = nn.Sequential(nn.Linear(2 * waves, told), nn.SiLU(), nn.Linear(told, told))

    @full_precision
    def forward(self, t: Tensor) -> Tensor:
        speeds = PERIODS ** (torch.arange(self.waves, device=t.device) / (self.waves - 1))
        angles = t.float()[:, None] * speeds
        told: Tensor = self.layers(torch.cat([angles.sin(), angles.cos()], 1))
        return told


def _doubling(name: DoublingName, coarse: int, fine: int) -> nn.Module:
    return Between(coarse, fine) if name == "smooth" else nn.ConvTranspose2d(coarse, fine, 2, 2)


def _level(width: int, blocks: int, told: int, hiding: float) -> nn.ModuleList:
    return nn.ModuleList(Block(width, told, hiding) for _ in range(blocks))


def _through(
    blocks: nn.Module, x: Tensor, told: Tensor | None, even: GroupEvening | None, rng: Generator | None
) -> Tensor:
    for block in blocks.children():
        x = block(x, told, even, rng)
    return x

"""A critic of residual blocks: halves pictures until little is left, and says how real each looks, for its label."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.nets.adversary import Verdict
from danqing.nets.convolution import Down
from danqing.nets.he import SLOPE, initialise

WIDEST = 8  # times the narrowest
HALF = math.sqrt(0.5)  # of two ways that are summed, so that the variance stays


class ResidualCritic(nn.Module):
    """Judge pictures (B, channels, side, side) in about [-1, 1], side = base · 2^doublings.

    Args:
        base: side of the last maps.
        doublings: how often pictures are halved to it.
        channels: of the pictures.
        classes: 0: judges without labels.
        width: channels at half size; they double towards the small end, up to eight times.
        naming: whether it also names the class.
        ahead: doublings that pictures lack: so many blocks pass maps on through their plain way alone, unhalved, and
            begin, when their turn comes, with nothing else to say.

    Source: residual blocks: Karras et al. 2020 (StyleGAN2), section 4.1, without its batch statistics, as in Huang et
    al. 2024 (R3GAN), section 4; projection: Miyato & Koyama 2018, eq. 3; naming: Odena et al. 2017.
    """

    def __init__(
        self, base: int, doublings: int, channels: int, classes: int, width: int, naming: bool, ahead: int = 0
    ) -> None:
        super().__init__()
        self.ahead = ahead
        widths = [width * min(WIDEST, 2**level) for level in range(doublings)]
        self.first = Down(channels, widths[0])
        self.blocks = nn.ModuleList(_Block(inputs, outputs) for inputs, outputs in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], widths[-1], 3, padding=1)
        initialise(self.first, self.last)
        features = widths[-1] * base * base
        self.head = nn.Linear(features, 1)
        self.classes = nn.Embedding(classes, features) if classes else None
        self.names = nn.Linear(features, classes) if classes and naming else None
        initialise(self.head, *([] if self.names is None else [self.names]))
        if self.classes is not None:
            nn.init.normal_(self.classes.weight, std=features**-0.5)
        for block in self._waiting:
            nn.init.zeros_(block.down.weight)

    @property
    def _waiting(self) -> Iterator[_Block]:
        """The blocks of sides that pictures do not have yet."""
        for block in self.blocks[: self.ahead]:
            assert isinstance(block, _Block)
            yield block

    def forward(self, x: Tensor, label: Tensor | None, rng: Generator) -> Verdict:
        x = F.leaky_relu(self.first(x.contiguous(memory_format=torch.channels_last)), SLOPE)
        for waiting in self._waiting:
            x = waiting.aside(x) * HALF
        for block in self.blocks[self.ahead :]:
            x = block(x)
        features = F.leaky_relu(self.last(x), SLOPE).permute(0, 2, 3, 1).flatten(1)
        logits: Tensor = self.head(features).squeeze(1)
        if self.classes is not None:
            logits = logits + (self.classes(label) * features).sum(1)
        if self.names is None or label is None:
            return Verdict(logits)
        return Verdict(logits, F.cross_entropy(self.names(features), label, reduction="none"))


class _Block(nn.Module):
    """Halve a map by two convolutions, beside a plain way."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.same, self.down = nn.Conv2d(inputs, inputs, 3, padding=1), Down(inputs, outputs)
        self.aside = nn.Conv2d(inputs, outputs, 1, bias=False)
        initialise(self.same, self.down)
        nn.init.normal_(self.aside.weight, std=1 / math.sqrt(inputs))

    def forward(self, x: Tensor) -> Tensor:
        straight: Tensor = self.aside(F.avg_pool2d(x, 2))
        around: Tensor = F.leaky_relu(self.down(F.leaky_relu(self.same(x), SLOPE)), SLOPE)
        return (around + straight) * HALF


class PatchCritic(nn.Module):
    """Judge patches: pictures (B, channels, H, W) in [-1, 1] to logits (B, 1, H / 8, W / 8), each of what is around it.

    Source: Isola et al. 2017 (pix2pix), section 3.2.2.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        layers = [Down(inputs, outputs) for inputs, outputs in pairwise(widths)]
        self.layers, self.last = nn.ModuleList(layers), nn.Conv2d(widths[-1], 1, 3, padding=1)
        initialise(*layers, self.last)

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        logits: Tensor = self.last(x)
        return logits.float()

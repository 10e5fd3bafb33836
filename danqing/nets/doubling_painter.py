"""The convolutional painter: a small map of a latent, doubled until it is a picture."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.nets import he
from danqing.nets.convolution import FreeUp, Spread, Up
from danqing.nets.he import SLOPE
from danqing.nets.norms import ClassNorm, NormName, chosen

SIZES = (16, 28, 32, 64, 128, 256)
WIDEST = 8  # times the narrowest
DoublingName = Literal["smooth", "free"]


class DoublingPainter(nn.Module):
    """Paint from latents and, if there are classes, labels.

    Args:
        base: side of the first map, px.
        doublings: how often it doubles.
        channels: of the pictures.
        classes: of the labels; 0: none.
        latents: length of a latent.
        width: channels at half size; they double towards the small end, up to eight times.
        norm: how maps are normalised.
        doubling: smooth (between pixels, then a convolution; half as many channels at full size) or free (a transposed
            convolution, the last of which paints).

    Source: Radford et al. 2016 (DCGAN).
    """

    def __init__(
        self,
        base: int,
        doublings: int,
        channels: int,
        classes: int,
        latents: int,
        width: int,
        norm: NormName,
        doubling: DoublingName,
    ) -> None:
        super().__init__()
        widths = [width * min(WIDEST, 2**level) for level in range(doublings, -1, -1)]
        self.base, bias = base, norm != "batch"
        self.classes = nn.Embedding(classes, latents) if classes else None
        self.dense = nn.Linear(latents * (2 if classes else 1), base * base * widths[0], bias=bias)
        outs = widths[1:]
        if doubling == "smooth":  # a level at full size, as what is smooth must be sharpened there
            outs.append(max(1, width // 2))
            last: nn.Module = nn.Conv2d(outs[-1], channels, 3, padding=1)
        else:
            last = FreeUp(width, channels)
        up = Up if doubling == "smooth" else FreeUp
        layers: list[nn.Module] = [Spread(widths[0], outs[0], bias), *(up(*each, bias) for each in pairwise(outs))]
        self.layers = nn.ModuleList(layers)
        self.first_norm = ClassNorm(norm, base * base * widths[0], classes)
        self.norms = nn.ModuleList(ClassNorm(norm, out, classes) for out in outs)
        self.last = last
        initialise(self, embedding=1.0)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Paint (B, C, size, size) in [-1, 1]; ``label``: int64 (B,), or weights of classes (B, levels, classes)."""
        by_level = [label] * (1 + len(self.norms)) if label is None or label.ndim < 3 else label.unbind(1)
        if self.classes is not None and by_level[0] is not None:
            z = torch.cat([z, F.normalize(chosen(self.classes, by_level[0]), dim=1) * z.shape[1] ** 0.5], 1)
        x = F.leaky_relu(self.first_norm(self.dense(z), by_level[0]), SLOPE)
        x = x.unflatten(1, (self.base, self.base, -1)).permute(0, 3, 1, 2)  # channels-last memory as it comes
        for layer, norm, of_level in zip(self.layers, self.norms, by_level[1:], strict=True):
            x = F.leaky_relu(norm(layer(x), of_level), SLOPE)
        return torch.tanh(self.last(x))


def doublings_to(size: int) -> tuple[int, int]:
    """The side that a painter begins with, and how often it doubles.

    Raises:
        ParameterError: for a size that cannot be.
    """
    if size not in SIZES:
        raise ParameterError(f"{size} is not one of {', '.join(map(str, SIZES))}", where="size")
    base = 7 if size == 28 else min(8, size // 4)
    return base, int(math.log2(size // base))


def initialise(net: nn.Module, embedding: float | None = None) -> None:
    """Draw the first weights, in the order of the layers.

    Args:
        net: its convolutions and dense layers, and its embedding of ``classes``.
        embedding: standard deviation of that; by default as of a row of unit length.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            he.initialise(module)
        elif isinstance(module, nn.Embedding) and module is getattr(net, "classes", None):
            nn.init.normal_(module.weight, std=module.embedding_dim**-0.5 if embedding is None else embedding)


__all__ = ["WIDEST", "DoublingName", "DoublingPainter", "doublings_to", "initialise"]

"""Normalisation, and how a class speaks through it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

NormName = Literal["none", "batch", "pixel"]


class PixelNorm(nn.Module):
    """Scale the channels at every place to a mean square of 1.

    Source: Karras et al. 2018 (Progressive GAN), sec. 4.2.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class ClassNorm(nn.Module):
    """Normalise, then scale and shift each channel, by class where there are classes.

    Source: conditional normalisation: Dumoulin et al. 2017, eq. 5.

    Args:
        kind: how to normalise.
        channels: of the map, or features of a vector.
        classes: 0: one scale and shift for all.
    """

    def __init__(self, kind: NormName, channels: int, classes: int = 0) -> None:
        super().__init__()
        self.norm: nn.Module = nn.Identity()
        if kind == "batch":
            self.norm = BatchNorm(channels, affine=not classes)
        elif kind == "pixel":
            self.norm = PixelNorm()
        self.scale = nn.Embedding(classes, channels) if classes else None
        self.shift = nn.Embedding(classes, channels) if classes else None
        if self.scale is not None and self.shift is not None:
            nn.init.ones_(self.scale.weight)
            nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        x = self.norm(x)
        if self.scale is None or self.shift is None or label is None:
            return x
        scale, shift = chosen(self.scale, label), chosen(self.shift, label)
        shape = (*scale.shape, *[1] * (x.ndim - 2))
        return torch.addcmul(shift.view(shape), x, scale.view(shape))


def chosen(table: nn.Embedding, label: Tensor) -> Tensor:
    """The rows of a table for labels, int64 (B,), or their mean for weights of classes, float (B, classes)."""
    return label @ table.weight if label.is_floating_point() else table(label)


class BatchNorm(nn.BatchNorm2d):
    """Normalise by the batch, maps by channel and vectors by feature."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in (2, 4):
            raise ValueError(f"expected maps or vectors, got {input.ndim} axes")

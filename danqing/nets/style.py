"""The parts of a style-based painter: from a latent to styles, and convolutions whose channels a style weighs."""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danqing.nets.convolution import FreeUp, Same, Up
from danqing.nets.he import SLOPE
from danqing.nets.norms import BatchNorm
from danqing.nets.precision import as_autocast

GAIN = math.sqrt(2)  # keeps the variance through a leaky ReLU, nearly
FEWEST = 1e-8  # under a root
StyledNorm = Literal["batch", "weights"]


class Mapping(nn.Module):
    """Map latents (B, latents) to styles (B, styles), the class known to all levels by one shared embedding.

    Args:
        latents: length of a latent.
        styles: length of a style.
        classes: 0: none.
        depth: dense layers.

    Source: Karras et al. 2019 (StyleGAN), section 2; the shared embedding: Brock et al. 2019 (BigGAN), section 3.1.
    """

    def __init__(self, latents: int, styles: int, classes: int, depth: int) -> None:
        super().__init__()
        self.classes = nn.Embedding(classes, latents) if classes else None
        widths = [latents * (2 if classes else 1), *[styles] * depth]
        layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(widths)]
        self.layers = nn.ModuleList(layers)
        for layer in layers:
            nn.init.normal_(layer.weight, std=GAIN / math.sqrt(layer.in_features * (1 + SLOPE**2)))
            nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = normalised(z)
        if self.classes is not None:
            x = torch.cat([x, normalised(self.classes(label))], 1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
        return x.float()


class Styled(nn.Module):
    """A convolution whose inputs a style weighs and whose outputs are brought back to their usual size.

    By the kernel ("weights", as in the paper): what it makes of numbers of unit variance has unit variance again. By
    the batch ("batch"): what it has made has, over all pictures and places; pictures then stay apart from the first
    step on, where the other way paints all of a class alike for long.

    A kernel of its own for each picture would be a convolution in groups, for which processors have no fast way (in
    bf16 at 256 channels 20 times slower). As a product by channel may as well be taken on the maps, before and after,
    all pictures share one kernel and one ordinary convolution.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        styles: length of a style.
        norm: what brings the outputs back.

    Source: Karras et al. 2020 (StyleGAN2), section 2.2, eq. 1–3, and the fused form's equal in its appendix B.
    """

    convolution: Same | Up | FreeUp

    def __init__(self, inputs: int, outputs: int, styles: int, norm: StyledNorm = "weights") -> None:
        super().__init__()
        self.convolution = self.plain(inputs, outputs)
        nn.init.normal_(self.convolution.weight, std=1 / math.sqrt(inputs * self.taps))
        self.scale = nn.Linear(styles, inputs)
        nn.init.normal_(self.scale.weight, std=1 / math.sqrt(styles))
        nn.init.ones_(self.scale.bias)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.norm = BatchNorm(outputs, affine=False) if norm == "batch" else None

    taps: int  # products by input channel that meet in one output

    @abstractmethod
    def plain(self, inputs: int, outputs: int) -> Same | Up | FreeUp:
        """The convolution that all pictures share."""

    @abstractmethod
    def energy(self) -> Tensor:
        """The sum of the squares of the kernel that meet in one output, (outputs, inputs)."""

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Map (B, inputs, H, W) by styles (B, styles), adding noise (1 or B, 1, H', W') of a learnt strength."""
        scale = self.scale(w).float()
        y = self.convolution(x * _by_channel(scale, x))
        bias = _by_channel(self.bias[None], y)
        if self.norm is None:
            back = torch.rsqrt(scale.square() @ self.energy().float().t() + FEWEST) * GAIN
            y = torch.addcmul(bias, y, _by_channel(back, y))
        else:
            y = torch.add(bias, self.norm(y), alpha=GAIN)
        return F.leaky_relu(y + self.strength.to(y.dtype) * noise.to(y.dtype), SLOPE)


class StyledSame(Styled):
    """Keep a map's size."""

    taps = 9

    def plain(self, inputs: int, outputs: int) -> Same | Up:
        return Same(inputs, outputs)

    def energy(self) -> Tensor:
        return self.convolution.weight.square().sum((2, 3))


class StyledUp(StyledSame):
    """Double a map between its pixels."""

    def plain(self, inputs: int, outputs: int) -> Up:
        return Up(inputs, outputs, bias=False)


class StyledFreeUp(Styled):
    """Double a map by a transposed convolution."""

    taps = 4

    def plain(self, inputs: int, outputs: int) -> FreeUp:
        return FreeUp(inputs, outputs, bias=False)

    def energy(self) -> Tensor:
        return self.convolution.weight.square().sum((2, 3)).t() / 4  # a quarter of the kernel meets in one output


class ToPicture(nn.Module):
    """Read a picture's channels from a map (B, inputs, H, W) by a style, at first with so much contrast.

    Source: Karras et al. 2020 (StyleGAN2), section 4.1 (skips that are summed).
    """

    def __init__(self, inputs: int, channels: int, styles: int, contrast: float) -> None:
        super().__init__()
        self.scale = nn.Linear(styles, inputs)
        nn.init.normal_(self.scale.weight, std=1 / math.sqrt(styles))
        nn.init.ones_(self.scale.bias)
        self.read = nn.Conv2d(inputs, channels, 1)
        nn.init.normal_(self.read.weight, std=contrast / math.sqrt(inputs))
        if self.read.bias is not None:
            nn.init.zeros_(self.read.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        picture: Tensor = self.read(x * _by_channel(self.scale(w), x))
        return picture


def normalised(z: Tensor) -> Tensor:
    """Scale vectors (B, D) to a mean square of 1."""
    return z * torch.rsqrt(z.square().mean(1, keepdim=True) + FEWEST)


def _by_channel(values: Tensor, x: Tensor) -> Tensor:
    return as_autocast(values).to(x.dtype)[:, :, None, None]

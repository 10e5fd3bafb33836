"""What finds things stands on: a trunk that knows ImageNet, and maps of one width at several sizes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.nets.efficientnet_lite import CHANNELS, efficientnet_lite0
from danqing.nets.mobilenet_v2 import mobilenet_v2_maps

Backbone = Literal["lite0", "mobilenet"]
STRIDES = (4, 8, 16, 32)  # px of a picture that a cell of each map stands for
STEP = STRIDES[-1]
GROUPS = 8  # of channels that are normalised together
CUT = (2, 5, 12)  # blocks of MobileNetV2 whose maps are taken, at a quarter, an eighth and a 16th
CUT_CHANNELS = (24, 32, 96)


class Trunk(nn.Module):
    """A net that learned ImageNet's classes, up to its maps; its normalisations are folded into its convolutions.

    Args:
        backbone: EfficientNet-Lite0, or the first blocks of MobileNetV2, a fifth as large.

    Source: R. Liu, EfficientNet-Lite0, 2020; M. Sandler et al., "MobileNetV2", 2018.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.is_cut = backbone == "mobilenet"
        self.channels = CUT_CHANNELS if self.is_cut else CHANNELS
        self.net: nn.Module = copy.deepcopy(mobilenet_v2_maps()) if self.is_cut else efficientnet_lite0()
        if not self.is_cut:
            del self.net._conv_head, self.net._bn1, self.net._fc
        self.net.requires_grad_(True)

    def forward(self, x: Images) -> list[Tensor]:
        """Maps from fine to coarse of pictures (B, 1 or 3, H, W) in [0, 1]."""
        x = x.expand(-1, 3, -1, -1)
        if self.is_cut:
            maps = self.net.maps(x, (), CUT)  # type: ignore[operator]
            return [maps[f"outer {at}"] for at in CUT]
        found: list[Tensor] = self.net.levels(x)  # type: ignore[operator]
        return found


class Pyramid(nn.Module):
    """Maps of one width at a quarter, an eighth, a 16th and a 32nd of the size, each told what the coarser ones see.

    Args:
        channels: of the trunk's maps, three or four.
        width: of what comes out.
        first: which map is the finest that is wanted.
        count: how many are wanted; coarser ones still tell theirs what they see.

    Source: T.-Y. Lin et al., "Feature pyramid networks for object detection", 2017, with separable convolutions.
    """

    def __init__(self, channels: Sequence[int], width: int, first: int = 0, count: int = len(STRIDES)) -> None:
        super().__init__()
        self.first = first
        self.lateral = nn.ModuleList(nn.Conv2d(each, width, 1) for each in channels[first:])
        self.coarsest = separable(width, width, stride=2) if len(channels) < len(STRIDES) else None
        self.smooth = nn.ModuleList(separable(width, width) for _ in STRIDES[first : first + count])

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The maps from fine to coarse."""
        found = [lateral(each) for lateral, each in zip(self.lateral, maps[self.first :], strict=True)]
        if self.coarsest is not None:
            found.append(self.coarsest(found[-1]))
        for at in range(len(found) - 1, 0, -1):
            found[at - 1] = found[at - 1] + enlarged(found[at], found[at - 1])
        return [smooth(each) for smooth, each in zip(self.smooth, found, strict=False)]


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A depthwise convolution, a mixing of channels, a normalisation by groups and a bend."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.GroupNorm(GROUPS, outputs),
        nn.SiLU(),
    )


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """Maps as large as others."""
    return functional.interpolate(x, like.shape[-2:], mode="nearest")


def seen_by(trunk: Trunk, x: Images, learns: bool) -> list[Tensor]:
    """A trunk's maps; where the rest learns and it is frozen, without what gradients would need.

    Args:
        trunk: in evaluation mode where it is frozen.
        x: pictures (B, 1 or 3, H, W).
        learns: whether the model is in training mode.
    """
    with torch.set_grad_enabled(torch.is_grad_enabled() and not (learns and not trunk.training)):
        return trunk(x)  # type: ignore[no-any-return]


def pooled(trunk: Trunk, x: Images) -> Tensor:
    """The means (B, D), float32, of a trunk's coarsest maps of pictures (B, 1 or 3, H, W)."""
    found: Tensor = trunk(x)[-1].float().mean((2, 3))
    return found


__all__ = ["STEP", "STRIDES", "Backbone", "Pyramid", "Trunk", "enlarged", "pooled", "seen_by", "separable"]

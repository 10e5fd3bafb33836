"""How unlike two pictures look to a net that recognises things: a distance that blur does not please."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images
from danqing.nets.efficientnet_lite import shared_lite0

BLOCKS = (-1, 1, 3, 8)  # of EfficientNet-Lite0, their wide maps: at 1/2, 1/4, 1/8 and 1/16 of the side
SMALLEST = 64  # px: smaller pictures are enlarged to at least so much
LEAST = 1e-10  # under a root


def perceptual_distance(x: Images, y: Images) -> Tensor:
    """The distance of what a net sees in pictures ``x`` from what it sees in ``y``, both (B, C, H, W): (B,), 0 to 4.

    Maps are brought to unit length at each place; their squared differences are averaged over places and levels.
    Gradients reach ``x`` alone.

    Source: Zhang et al. 2018 (LPIPS), eq. 1, with EfficientNet-Lite0 and without learnt weights.
    """
    with torch.no_grad():
        wanted = _maps(y)
    apart = [(ours - theirs).square().sum(1).mean((1, 2)) for ours, theirs in zip(_maps(x), wanted, strict=True)]
    return torch.stack(apart).mean(0)


def _maps(x: Images) -> list[Tensor]:
    x = x.expand(-1, 3, -1, -1)
    if (times := -(-SMALLEST // min(x.shape[-2:]))) > 1:
        x = F.interpolate(x, scale_factor=times, mode="bilinear")
    maps = shared_lite0(x.device).maps(x.contiguous(memory_format=torch.channels_last), BLOCKS, ())
    return [_unit(maps[f"inner {at}"].float()) for at in BLOCKS]


def _unit(maps: Tensor) -> Tensor:
    return maps * (maps.square().sum(1, keepdim=True) + LEAST).rsqrt()


__all__ = ["perceptual_distance"]

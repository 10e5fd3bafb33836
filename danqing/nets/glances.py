"""What a painter without a critic is shown of pictures: features of a frozen net, thumbnails and patches.

All pictures of a glance are seen in the same way, and each glance in another: shifted by a random part of the net's
strides, enlarged by a random factor. What a net's strides do to its gradients is then nowhere twice the same, and
leaves no grid.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.nets.efficientnet_lite import EfficientNetLite0, efficientnet_lite0

SIDES = {1.0: 5, 1.25: 2, 1.5: 2, 2.0: 1}  # of the smallest that the net sees, and how often: large ones cost more
SMALLEST, LARGE = 32, 128  # px: pictures are enlarged to that at least; from this on seen at half to full size
POOLED = (4, 4, 2, 1)  # parts of a side, of each level of the net
THUMBNAILS = (8, 16)  # px
PATCH = 16  # px
PATCHES = 6  # places of a size
STRIDE = 16  # px: of what the net sees


class Glance(NamedTuple):
    """How pictures are looked at.

    Attributes:
        side: px: of what the net sees.
        shift: px down and right by which that is moved, either way, up to half a stride of the net's third level.
        corners: of the patches, as shares (PATCHES, 2, 2) of where there is room, at full and at half size.
        offset: px down and right by which pictures are moved before they are made small.
    """

    side: int
    shift: tuple[int, int]
    corners: Tensor
    offset: tuple[int, int]


def drawn_glance(size: int, rng: Generator) -> Glance:
    """Draw how pictures of a size are looked at: from as they are to twice as large, very small and large ones else."""
    factors = [factor for factor, times in SIDES.items() for _ in range(times)]
    side = round(factors[_below(len(factors), rng)] * (max(size, SMALLEST) if size < LARGE else size / 2))
    shift = _below(STRIDE, rng) - STRIDE // 2, _below(STRIDE, rng) - STRIDE // 2
    step = max(1, size // THUMBNAILS[0])
    offset = _below(step, rng) - step // 2, _below(step, rng) - step // 2
    return Glance(side, shift, torch.rand(PATCHES, 2, 2, generator=rng, device=rng.device).cpu(), offset)


def views(x: Tensor, glance: Glance) -> list[list[Tensor]]:
    """What a glance shows of pictures (B, C, H, W) in [0, 1]: views (L, B, D), float32, of L places each.

    Returns:
        Views of three kinds: of a net's maps, of small pictures, of patches.
    """
    moved = shifted(x, glance.offset)
    small = [functional.adaptive_avg_pool2d(moved, min(side, x.shape[-1])).flatten(1)[None] for side in THUMBNAILS]
    return [_maps(x, glance), small, _patches(x, glance)]


def shifted(x: Tensor, by: tuple[int, int]) -> Tensor:
    """Pictures moved by whole pixels down and right; what comes in is mirrored."""
    down, right = by
    if not (down or right):
        return x
    height, width = x.shape[-2:]
    sides = max(right, 0), max(-right, 0), max(down, 0), max(-down, 0)
    top, left = max(-down, 0), max(-right, 0)
    return functional.pad(x, sides, mode="reflect")[..., top : top + height, left : left + width]


def _maps(x: Tensor, glance: Glance) -> list[Tensor]:
    """Means and deviations of the net's maps, in parts of the picture."""
    if glance.side != x.shape[-1]:
        smaller = glance.side < x.shape[-1]
        x = functional.interpolate(
            x, (glance.side, glance.side), mode="bilinear", antialias=smaller, align_corners=False
        )
    x = shifted(x, glance.shift).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    found = []
    for level, parts in zip(_net(x.device).levels(x), POOLED, strict=True):
        level = level.float()
        parts = min(parts, level.shape[-1])
        mean = functional.adaptive_avg_pool2d(level, parts)
        spread = functional.adaptive_avg_pool2d(level.square(), parts) - mean.square()
        both = torch.cat([mean, spread.clamp(min=1e-6).sqrt()], 1)
        found.append(both.flatten(2).permute(2, 0, 1))
    return found


def _patches(x: Tensor, glance: Glance) -> list[Tensor]:
    """Patches at random places, at full size and at half."""
    found = []
    for at, sized in enumerate((x, functional.avg_pool2d(x, 2))):
        edge = min(PATCH, sized.shape[-1])
        room = sized.shape[-1] - edge + 1
        corners = (glance.corners[:, at] * room).long().clamp(max=room - 1).tolist()
        found.append(torch.stack([sized[..., y : y + edge, x : x + edge].flatten(1) for y, x in corners]))
    return found


@functools.cache
def _net(device: torch.device) -> EfficientNetLite0:
    with torch.inference_mode(False):  # others ask for gradients through it, whoever asked first
        return efficientnet_lite0().to(device)


def _below(end: int, rng: Generator) -> int:
    return int(torch.randint(end, (), generator=rng, device=rng.device))


__all__ = ["Glance", "drawn_glance", "shifted", "views"]

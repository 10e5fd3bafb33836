"""How far the dyes of a photograph have bleached and its paper has yellowed: what tells of it, and how to undo it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images
from danqing.maths.degradation import BLACK

SIDE = 128  # px: the shorter side of pictures that are looked at; larger ones are shrunk
DARKEST = 2 / 255
QUANTILES = (0.01, 0.03, 0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92, 0.97, 0.99)
TONES = 8  # groups of pixels from light to dark whose colours are told
COUNT = 3 * len(QUANTILES) + 4 * TONES
ONE_TONE = 0.02  # density: how far pixels of a grey print are from one line
BLEACHED = 0.45  # share of their density that dyes of the oldest pictures have lost in the mean
MOST = 0.3  # of its density is what a dye has left at least


class Fade(NamedTuple):
    """What became of pictures: y = paper · reflected^kept (see :func:`danqing.maths.degradation.faded`).

    Attributes:
        kept: (B, 3), the share of its density that each dye has kept, 1 in new pictures.
        paper: (B, 3), what the paper reflects, 1 in new pictures.
    """

    kept: Tensor
    paper: Tensor


def traits(x: Images, seen: Tensor | None = None) -> Tensor:
    """What tells how faded pictures (B, 3, H, W) are, (B, COUNT), in densities -log y, where they are ``seen``.

    Quantiles of each dye's density; and, in groups of pixels from light to dark, by how much red and blue are denser
    than green, in the mean and as a standard deviation.
    """
    return torch.cat([_traits(each.float()) for each in _densities(x, seen)])


def _traits(density: Tensor) -> Tensor:
    quantiles = torch.quantile(density, density.new_tensor(QUANTILES), dim=2).permute(1, 2, 0).flatten(1)
    order = density.mean(1).argsort(1)
    casts = torch.stack([density[:, 0] - density[:, 1], density[:, 2] - density[:, 1]], 1)
    casts = casts.gather(2, order[:, None].expand_as(casts))
    groups = casts.tensor_split(TONES, dim=2)
    told = [torch.cat([each.mean(2), each.std(2, correction=0).nan_to_num(0)], 1) for each in groups if each.shape[2]]
    told += [told[-1]] * (TONES - len(told))  # pictures of fewer pixels
    return torch.cat([quantiles, *told], 1)


def span(x: Images, seen: Tensor | None = None) -> Tensor:
    """How far apart the densities of pictures (B, 3, H, W) are, (B,): of the dye that spans most, but for its ends."""
    ends = torch.tensor([QUANTILES[0], QUANTILES[-1]])
    spans = [torch.quantile(each.float(), ends.to(each.device), dim=2).diff(dim=0)[0] for each in _densities(x, seen)]
    return torch.cat(spans).amax(1)


def of_one_tone(x: Images, fade: Fade, seen: Tensor | None = None) -> Fade:
    """Make fading exact, but for its strength, where pictures (B, 3, H, W) were grey: prints in black and white.

    There, where they are ``seen``, the density of each dye is a straight line over that of the others, whose slope and
    offset are what the dyes have kept and the paper has taken, against each other.

    Source: danqing; least squares, believed where what is left is below ONE_TONE in the mean.
    """
    slope, offset, left = map(torch.cat, zip(*(_line(each.double()) for each in _densities(x, seen)), strict=True))
    grey = ((left < ONE_TONE) & (slope.amin(1) > 0.2))[:, None].to(fade.kept.device)
    most = 1 / slope.amax(1, keepdim=True).clamp(min=1e-9)  # no dye has become denser
    kept = slope.to(fade.kept) * torch.minimum(fade.kept.mean(1, keepdim=True), most.to(fade.kept))
    yellow = offset.to(fade.kept) - slope.to(fade.kept) * fade.paper.log().mean(1, keepdim=True)
    return Fade(torch.where(grey, kept, fade.kept), torch.where(grey, torch.exp(-yellow), fade.paper))


def _line(density: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Slopes and offsets (B, 3) of densities (B, 3, N) over their mean, and how far they are from that line, (B,)."""
    mean, middle = density.mean(1, keepdim=True), density.mean((1, 2))[:, None]
    away = mean - middle[:, None]
    slope = (away * density).sum(2) / away.square().sum(2).clamp(min=1e-9)
    offset = density.mean(2) - slope * middle
    left = (density - slope[:, :, None] * mean - offset[:, :, None]).square().mean((1, 2)).sqrt()
    return slope, offset, left


def unfaded(x: Images, fade: Fade) -> Images:
    """Give each dye its density back, and the paper its white.

    Args:
        x: pictures (B, C, H, W); grey ones have one dye, the mean of the three.
        fade: what became of them.

    Source: danqing; the inverse of :func:`danqing.maths.degradation.faded`, whose strength is that of dyes bleached by
        0.45 in the mean.
    """
    kept, paper = (_planes(each, x) for each in fade)
    kept = kept.clamp(MOST, 1)
    reflected = (x / paper.clamp(min=DARKEST)).clamp(0, 1) ** (1 / kept)
    haze = BLACK * ((1 - kept.mean(1, keepdim=True)) / BLEACHED).clamp(0, 1)
    return ((reflected - haze) / (1 - haze)).clamp(0, 1)


def _planes(values: Tensor, like: Images) -> Tensor:
    values = values.to(like)
    if like.shape[1] == 1:
        values = values.mean(1, keepdim=True)
    return values[:, :, None, None]


def _densities(x: Images, seen: Tensor | None) -> list[Tensor]:
    """The densities (B, 3, N) of pictures (B, 3, H, W); (1, 3, N) of each, if they are ``seen`` (B, H, W) in part."""
    if seen is None:
        return [_dense(_small(x)).flatten(2)]
    there = (seen | ~seen.any((1, 2), keepdim=True))[:, None].to(x)  # of what is not seen at all, all counts
    parts = zip(_small(x * there).split(1), _small(there).split(1), strict=True)
    return [_dense((sums / weight.clamp(min=DARKEST))[..., weight[0, 0] > DARKEST]) for sums, weight in parts]


def _dense(x: Tensor) -> Tensor:
    return -x.clamp(min=DARKEST).log()


def _small(x: Images) -> Images:
    factor = SIDE / min(x.shape[-2:])
    if factor >= 1:
        return x
    sides = [max(1, math.floor(side * factor + 0.5)) for side in x.shape[-2:]]
    return F.interpolate(x, size=sides, mode="area")

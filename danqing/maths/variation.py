"""What restorers learn from, made manifold: patches cut, turned and mirrored at random; some take other colours."""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images
from danqing.maths.colour import luma

CHOICE = 4  # patches, of which the richest in detail is learned from
CHOSEN = 0.7  # share of patches that are chosen so
ENOUGH = 0.01  # detail of which more counts no more: a tenth of the range from a pixel to the next
RECOLOURED = 0.4  # share of patches that are recoloured
SHIFT = 0.1  # standard deviation of a channel's shift


def check_side(patch: int, size: int) -> None:
    """See that patches fit into the squares of ``size`` px that pictures are cut into.

    Raises:
        ParameterError: if they are larger.
    """
    if patch > size:
        what = f"{patch} px is larger than the squares of {size} px that pictures are cut into"
        raise ParameterError(what, where="patch", remedy="Make size larger or patch smaller")


def patches(x: Images, side: int, rng: Generator) -> Images:
    """Cut one patch of ``side`` px out of each picture (B, C, H, W), turned and mirrored at random."""
    down, right = (torch.randint(length - side + 1, (len(x),), generator=rng).tolist() for length in x.shape[-2:])
    cut = torch.stack([each[:, y : y + side, z : z + side] for each, y, z in zip(x, down, right, strict=True)])
    mirrored, upright, turned = (torch.randint(2, (3, len(x), 1, 1, 1), generator=rng) > 0).to(x.device)
    cut = torch.where(mirrored, cut.flip(3), cut)
    cut = torch.where(upright, cut.flip(2), cut)
    return torch.where(turned, cut.transpose(2, 3), cut)


def detailed(x: Images, side: int, rng: Generator) -> Images:
    """Cut patches of ``side`` px, as many as there are pictures (B, C, H, W), out of any; most are rich in detail.

    Seven in ten are the richest of four patches each. In pictures most of the error is where detail is, and most of the
    room is not.
    """
    count = len(x)
    found = torch.cat([patches(x, side, rng) for _ in range(CHOICE)])
    found = found[torch.randperm(len(found), generator=rng).to(x.device)]
    brightness = found.mean(1)
    slopes = (brightness[:, 1:, 1:] - brightness[:, :-1, :-1]).square().mean((1, 2))
    richest = slopes.clamp(max=ENOUGH).view(count, CHOICE).argmax(1)
    chosen = (torch.rand(count, generator=rng) < CHOSEN).to(x.device)
    return found[torch.arange(count, device=x.device) * CHOICE + richest * chosen]


def views(x: Images, side: int, rng: Generator) -> Images:
    """Cut a square of ``side`` px or more out of each picture (B, C, H, W), shrunk to that; some are mirrored."""
    count, longest = len(x), min(x.shape[-2:])
    sides = torch.randint(side, longest + 1, (count,), generator=rng).tolist()
    found = []
    for each, cut in zip(x, sides, strict=True):
        down, right = (int(torch.randint(length - cut + 1, (), generator=rng)) for length in x.shape[-2:])
        window = each[None, :, down : down + cut, right : right + cut]
        found.append(functional.interpolate(window, size=(side, side), mode="bilinear", antialias=True))
    mirrored = (torch.rand(count, 1, 1, 1, generator=rng) < 0.5).to(x.device)
    shrunk = torch.cat(found)
    return torch.where(mirrored, shrunk.flip(3), shrunk)


def recoloured(x: Images, rng: Generator) -> Images:
    """Give some of the pictures (B, 3, H, W) edges between colours, as lit signs or lattice before the sky have them.

    The channels are taken in any order; each one's contrast is scaled by -1…1, of half the pictures by 0…1, the
    greatest by 1, and its mean shifted. Photographs as they are hold little fine detail in colours that is not in
    brightness, and most of what they held JPEG has taken.
    """
    count = len(x)
    order = torch.rand(count, 3, generator=rng).argsort(1).to(x.device)
    contrast = torch.rand(count, 3, generator=rng) * 2 - 1
    alike = torch.rand(count, 1, generator=rng) < 0.5
    contrast = torch.where(alike, contrast.abs(), contrast)
    contrast = planes(contrast / contrast.abs().amax(1, keepdim=True).clamp(min=1e-3), x)
    shift = planes(SHIFT * torch.randn(count, 3, generator=rng), x)
    chosen = planes(torch.rand(count, generator=rng) < RECOLOURED, x)
    mixed = x.gather(1, order.view(-1, 3, 1, 1).expand_as(x))
    mean = mixed.mean((2, 3), keepdim=True)
    return torch.where(chosen, (mean + contrast * (mixed - mean) + shift).clamp(0, 1), x)


def partly_grey(x: Images, chosen: Tensor) -> Images:
    """Show those of pictures (B, 3, H, W) that are ``chosen`` (B,), bool, in shades of grey."""
    return torch.where(planes(chosen, x), luma(x).clamp(0, 1).expand_as(x), x)


def planes(values: Tensor, x: Images) -> Tensor:
    """What was drawn for each picture (B,), or for each of its channels (B, C), as it meets pixels, on their device."""
    return values.to(x.device).view(*values.shape, *[1] * (4 - values.ndim))

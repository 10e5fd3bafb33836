"""Whether pictures were drawn or set, as pages, charts, cartoons and screens are: no camera took them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.pictures.contract import Images

SIDE = 3  # px: of the squares that are of one colour in what is drawn
LEVELS = 31  # steps of a colour that are told apart, and
COLOURS = 8  # how many colours make up most of what is drawn
FLAT, MOST = 0.4, 0.8  # share of squares of one colour, and of pixels of the few colours, from which a picture is drawn
CALM, GROUND = 0.2, 0.65  # the same of squares, and of pixels of one colour alone: pages, of which JPEG left less flat
PLAIN = 2 / 255  # how far the pixels of a plain row of a border are from each other
EQUAL = 0.5 / 255


def drawn(x: Images, seen: Tensor | None = None) -> Tensor:
    """Which pictures (B, C, H, W) were drawn, (B,), bool: noise, and grain of paper, would leave no ground so even.

    Plain borders do not count, since photographs are laid on paper, too.

    Args:
        x: the pictures.
        seen: which pixels count (B, H, W), bool; all, if it is not given.

    Source: danqing. Of 45 photographs, in colours and grey, none is taken for drawn; made dark and saved as JPEG at a
        quality of 30 and less, the smoothest are.
    """
    return torch.tensor([_is_drawn(each, None if seen is None else seen[at]) for at, each in enumerate(x)])


def _is_drawn(picture: Tensor, seen: Tensor | None) -> bool:
    rows, columns = _within(picture)
    picture = picture[:, rows, columns]
    there = None if seen is None else seen[rows, columns]
    if min(picture.shape[1:]) < SIDE or (there is not None and not bool(there.any())):
        return True  # plain, to its borders
    colours = picture.flatten(1) if there is None else picture[:, there]
    darkest, lightest = colours.min(), colours.max()
    if lightest - darkest < PLAIN:
        return True
    flat = _flat(picture, there)
    if flat <= CALM:  # as of nearly all photographs, whose colours need not be counted
        return False
    shares = _shares((colours - darkest) / (lightest - darkest))  # dark and pale pictures have few colours as they are
    few = float(shares[:COLOURS].sum())
    return (flat > FLAT and few > MOST) or float(shares[0]) > GROUND


def _within(picture: Tensor) -> tuple[slice, slice]:
    """The rows and the columns of a picture (C, H, W) without its plain borders."""
    spans = []
    for axis in (2, 1):
        busy = ((picture.amax(axis) - picture.amin(axis)).amax(0) > PLAIN).nonzero().flatten()
        spans.append(slice(int(busy[0]), int(busy[-1]) + 1) if len(busy) else slice(0, 0))
    return spans[0], spans[1]


def _shares(colours: Tensor) -> Tensor:
    """The share of pixels (C, N) that each colour has, the most frequent first."""
    steps = (colours * LEVELS).round().long()
    numbers = sum(step * (LEVELS + 1) ** at for at, step in enumerate(steps))
    counts = torch.bincount(torch.as_tensor(numbers)).sort(descending=True).values
    return counts / counts.sum()


def _flat(picture: Tensor, there: Tensor | None) -> float:
    """The share of small squares, side by side and wholly seen, that are of one colour."""
    even = (F.max_pool2d(picture, SIDE) + F.max_pool2d(-picture, SIDE)).amax(0) <= EQUAL
    if there is not None:
        even = even[-F.max_pool2d(-there[None].float(), SIDE)[0] > 0]
    return float(even.float().mean()) if even.numel() else 0.0


__all__ = ["drawn"]

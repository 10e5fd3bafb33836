"""Parts of a picture that tell of the whole."""

from __future__ import annotations

import itertools

import torch

from danqing.core.pictures.contract import Images


def parts_of(x: Images, side: int) -> Images:
    """At most nine parts of a picture (1, C, H, W), spread evenly and so many pixels wide and high.

    Where there is no room for three beside, or above, each other, they are as wide, or as high, as the picture.

    Source: danqing.
    """
    rows, columns = (_starts(length, side) for length in x.shape[2:])
    return torch.cat([x[..., top, left] for top, left in itertools.product(rows, columns)])


def _starts(length: int, side: int) -> list[slice]:
    if length < 3 * side:
        return [slice(0, length)]
    starts = [round(at * (length - side) / 2) for at in range(3)]
    return [slice(start, start + side) for start in starts]


__all__ = ["parts_of"]

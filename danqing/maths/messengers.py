"""JPEG files as cameras, phones and messengers write them, at random: grids that were cut into, files written twice."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from danqing.core.pictures.contract import Images
from danqing.maths.borders import mirrored
from danqing.maths.degradation import Chroma, jpeg

MARGIN = 16  # px around a picture that are written with it: a block of halved colours
CUT = 0.3  # share of pictures that were cut after they were written, so that blocks begin anywhere
TWICE = 0.3  # share that was a file before: a camera's, that a messenger wrote anew
FIRST = (60.0, 95.0)  # quality of that first file
CHROMAS: dict[Chroma, float] = {"4:2:0": 0.75, "4:2:2": 0.1, "4:4:4": 0.15}


def messaged(x: Images, quality: Tensor, rng: Generator) -> Images:
    """Write each picture as a JPEG file of its quality, and read it again.

    Three in four have halved colours in both directions, one in ten along the width only; three in ten were a file of
    quality 60…95 before, with blocks elsewhere; of three in ten blocks do not begin at the corner.

    Args:
        x: (B, C, H, W).
        quality: (B,), 1…100, of the last file.
        rng: draws the chroma, the earlier file and the place of the blocks.

    Source: danqing; :func:`danqing.maths.degradation.jpeg`.
    """
    out = torch.empty_like(x)
    kinds, shares = list(CHROMAS), torch.tensor(list(CHROMAS.values()))
    for at, picture in enumerate(x.split(1)):
        chroma = kinds[int(torch.multinomial(shares, 1, generator=rng))]
        if _chance(rng, TWICE):
            first = FIRST[0] + (FIRST[1] - FIRST[0]) * torch.rand(1, generator=rng)
            picture = _written(picture, first, chroma, _place(rng))
        place = _place(rng) if _chance(rng, CUT) else (0, 0)
        out[at] = _written(picture, quality[at : at + 1], chroma, place)[0]
    return out


def _written(x: Images, quality: Tensor, chroma: Chroma, place: tuple[int, int]) -> Images:
    """One file in which the picture begins so many rows and columns after a block's corner."""
    (down, right), (height, width) = place, x.shape[-2:]
    written = jpeg(mirrored(x, (down, MARGIN, right, MARGIN)), quality, chroma)
    return written[..., down : down + height, right : right + width]


def _place(rng: Generator) -> tuple[int, int]:
    down, right = torch.randint(MARGIN, (2,), generator=rng).tolist()
    return down, right


def _chance(rng: Generator, share: float) -> bool:
    return bool(torch.rand((), generator=rng) < share)

"""Which paintings a picture is to be like, how much of each, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.names import several
from danqing.maths.colour import is_grey
from danqing.maths.colour_match import colours_matched
from danqing.maths.fitting import in_channels
from danqing.maths.pyramid import resized
from danqing.maths.selection import fitting

TINIEST = 8  # px: the shorter side of a picture that has anything like a style
LARGER = 1.25  # times the sides of the picture worked on: of larger paintings, the middle is looked at


class Wanted(NamedTuple):
    """A painting (1, 3, h, w) to be like, its share of all, and where it is wanted (1, 1, H, W), if not everywhere."""

    picture: Images
    share: float
    mask: Mask | None


class Styles(NamedTuple):
    """All that a picture (1, 3, H, W) is to be like, how strongly, and where it stays as it is (0 in ``cover``).

    ``grey`` says that it has no colours, and that these are to be kept.
    """

    wanted: tuple[Wanted, ...]
    strength: float
    cover: Mask | None
    grey: bool = False


def styles_for(
    x: Images,
    item: int,
    paintings: Sequence[Images | None],
    masks: Sequence[Mask | None],
    strength: Sequence[float],
    scale: float | None = 1.0,
    own_colours: bool = False,
) -> Styles:
    """Put together what is asked for one picture of a batch.

    Args:
        x: the pictures (B, C, H, W).
        item: which of them.
        paintings: pictures of any size, one for all of the batch or one for each; what is not given is passed over.
        masks: where each painting is wanted, of the size of ``x``.
        strength: one number for all, or one for each painting: their sum is the strength of the whole.
        scale: how large strokes are, against those of a painting that is as large as the picture; None leaves paintings
            in their own size.
        own_colours: whether paintings first take on the colours of the picture.

    Raises:
        ParameterError: if a painting or a mask is of no use, or numbers do not pair up.
    """
    given = [(at, each, masks[at]) for at, each in enumerate(paintings) if each is not None]
    for at, mask in enumerate(masks):
        if mask is not None and paintings[at] is None:
            raise ParameterError("says where a painting goes that is not given", where=_called("mask", at))
    if len(strength) not in (1, len(given)):
        what = f"{len(strength)} numbers do not pair up with {several(len(given), 'painting')}"
        raise ParameterError(what, where="strength", remedy="Give one for all, or one for each")
    total = sum(strength)
    shares = [each / total if total else 0.0 for each in strength]
    shares = shares if len(strength) == len(given) else [1 / len(given)] * len(given)
    picture = in_channels(x[item : item + 1], 3)
    wanted = []
    for (at, painting, mask), share in zip(given, shares, strict=True):
        mine = in_channels(_own(painting, x, item, _called("style", at)), 3)
        if min(mine.shape[2:]) < TINIEST:
            what = f"is too small to have a style: {mine.shape[3]} x {mine.shape[2]} px"
            raise ParameterError(
                what, where=_called("style", at), remedy=f"Give one of {TINIEST} x {TINIEST} px at least"
            )
        mine = mine if scale is None else _sized(mine, picture, scale)
        mine = colours_matched(mine, picture) if own_colours else mine
        wanted.append(Wanted(mine, share, None if mask is None else _marked(mask, x, item, _called("mask", at))))
    placed = [each.mask for each in wanted if each.mask is not None]
    cover = torch.stack(placed).amax(0) if len(placed) == len(wanted) else None
    return Styles(tuple(wanted), total, cover, own_colours and is_grey(picture))


def _own(painting: Images, x: Images, item: int, name: str) -> Images:
    if len(painting) not in (1, len(x)):
        raise ParameterError(f"{len(painting)} paintings do not pair up with {len(x)} pictures", where=name)
    return painting if len(painting) == 1 else painting[item : item + 1]


def _marked(mask: Mask, x: Images, item: int, name: str) -> Mask:
    """The mask of one picture, its soft edges kept.

    Raises:
        ParameterError: if it has another size, or marks nothing.
    """
    mine = (mask if len(mask) == 1 else mask[min(item, len(mask) - 1) :][:1]).to(x)
    if not bool((mine > 0.5).any()):
        raise ParameterError("marks nothing", where=name, remedy="White means: here")
    fitting(mask, x, name)
    return mine


def _sized(painting: Images, x: Images, scale: float) -> Images:
    """Bring a painting to the area of the picture, times the scale; of what is larger, the middle is taken."""
    (height, width), sides = painting.shape[2:], x.shape[2:]
    factor = scale * math.sqrt(sides[0] * sides[1] / (height * width))
    factor = max(factor, TINIEST / min(height, width))
    most = max(TINIEST, math.ceil(LARGER * max(sides)))
    kept = [min(side, math.ceil(most / factor)) for side in (height, width)]
    top, left = (height - kept[0]) // 2, (width - kept[1]) // 2
    piece = painting[..., top : top + kept[0], left : left + kept[1]]
    return resized(piece, [max(1, round(factor * side)) for side in kept]).clamp(0, 1)


def _called(name: str, at: int) -> str:
    return name if at == 0 else f"{name}{at + 1}"


def laid_over(x: Images, made: Images, asked: Styles) -> Images:
    """What was painted (1, 3, H, W), over the picture where it is not wanted; without colours if these were asked."""
    made = made.mean(1, keepdim=True).expand_as(made) if asked.grey else made
    return made if asked.cover is None else torch.lerp(in_channels(x, 3).expand_as(made), made, asked.cover)


def reduced(x: Images, most: int) -> Images:
    """A picture of at most so many pixels."""
    factor = math.sqrt(most / (x.shape[2] * x.shape[3]))
    if factor >= 1:
        return x
    return functional.interpolate(
        x, [max(1, round(factor * side)) for side in x.shape[2:]], mode="bilinear", antialias=True, align_corners=False
    )


__all__ = ["Styles", "Wanted", "laid_over", "reduced", "styles_for"]

"""The operator style_model."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.fields.number import Range
from danqing.core.fields.painting import Painting
from danqing.core.fields.strengths import Strengths
from danqing.core.learned.model import Stylist
from danqing.core.operators.operator import operator
from danqing.core.operators.tiles import TILE, local
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, shared
from danqing.maths.colour_match import colour_map, mapped
from danqing.maths.pyramid import resized
from danqing.maths.style_choice import Styles, laid_over, styles_for

LOOK = 256  # px: the shorter side that a painting is looked at, as in training


@operator(version=3)
def style_model(
    x: Images,
    style: Painting,
    style2: Painting | None = None,
    style3: Painting | None = None,
    mask: Mask | None = None,
    mask2: Mask | None = None,
    mask3: Mask | None = None,
    strength: Strengths = (1.0,),
    colours: Literal["painting", "photograph"] = "painting",
    scale: Annotated[float, Range(0.25, 4)] = 1.0,
    weights: Stylist = "stylist",  # type: ignore[assignment]
) -> Job[Images]:
    """Paint pictures anew in the style of paintings, at once and at any size.

    A small net paints, driven by what a painting is like; it has learned from some paintings and guesses at others.
    ``neural_style`` takes its time and comes closer to the painting; ``style_film`` paints films.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        style: the painting, of any size: one for all pictures, or one for each.
        style2: a second painting to mix in, or for another place.
        style3: a third one.
        mask: where the first painting goes, 1 (white) means "here", of the size of the pictures; elsewhere they stay as
            they are, unless another painting goes there.
        mask2: where the second painting goes.
        mask3: where the third one goes.
        strength: how far pictures go to the painting, 0 leaves them as they are, 1 goes all the way, more exaggerates;
            of several paintings one number each, such as 0.7,0.3, whose sum is the strength of the whole.
        colours: those of the painting, or those the photograph has: what is grey stays grey.
        scale: the size of strokes; larger ones are painted on a smaller picture, whose fine detail is lost.
        weights: the bundled stylist, or one of one's own (``danqing train stylist PHOTOS --paintings FOLDER``).

    Returns:
        A job with colour pictures of the same size.

    Raises:
        ParameterError: if a painting is smaller than 8 px, a mask marks nothing or has another size, or numbers do not
            pair up.

    Source: danqing; statistics of features as the style: X. Huang, S. Belongie, "Arbitrary style transfer in real-time
    with adaptive instance normalization", 2017.

    Examples:
        danqing style_model photo.png --style painting.jpg --out painted.png
        danqing style_model photo.png --style a.jpg --style2 b.jpg --strength 0.5,0.5 --out both.png
    """
    pieces, own = [], colours == "photograph"
    for at in range(len(x)):
        picture = x[at : at + 1].expand(-1, 3, -1, -1)
        asked = styles_for(x, at, [style, style2, style3], [mask, mask2, mask3], strength, None, own)
        work = _painted(picture, asked, scale, weights)
        made = (yield from shared(work, at, 1, total=len(x))) if asked.strength else picture.clone()
        pieces.append(laid_over(picture, made, asked))
    return torch.cat(pieces)


def _painted(x: Images, asked: Styles, scale: float, weights: Stylist) -> Job[Images]:
    """Paint one picture (1, 3, H, W): mixtures by a mixed code, places each for itself."""
    sides = [max(1, round(side / scale)) for side in x.shape[2:]]
    small = x if scale == 1 else resized(x, sides)
    mine = weights.code(_looked_at(small))
    guides = [_guide(small, each.picture, weights) for each in asked.wanted]
    if all(each.mask is None for each in asked.wanted):
        shares = [each.share for each in asked.wanted]
        mixed = [
            sum(share * part for share, part in zip(shares, parts, strict=True)) for parts in zip(*guides, strict=True)
        ]
        made = yield from _brushed(small, _Guide(*mixed), mine, asked.strength, weights)
    else:
        made, whole = torch.zeros_like(small), small.new_full((1, 1, *small.shape[2:]), 1e-6)
        for at, (each, guide) in enumerate(zip(asked.wanted, guides, strict=True)):
            where = whole.new_ones(()) if each.mask is None else resized(each.mask, sides)
            work = _brushed(small, guide, mine, asked.strength, weights)
            made = made + each.share * where * (yield from shared(work, at, 1, total=len(guides)))
            whole = whole + each.share * where
        made = made / whole
    if scale != 1:
        made = functional.interpolate(made, x.shape[2:], mode="bicubic", align_corners=False)
    return made.clamp(0, 1)


class _Guide(NamedTuple):
    """What a painting is like: its code, and the map of colours to its own."""

    code: Tensor
    matrix: Tensor
    offset: Tensor


def _guide(x: Images, painting: Images, weights: Stylist) -> _Guide:
    painting = _looked_at(painting)
    return _Guide(weights.code(painting), *colour_map(_looked_at(x), painting))


def _brushed(x: Images, guide: _Guide, own: Tensor, strength: float, weights: Stylist) -> Job[Images]:
    """Paint, tile by tile, between the picture as it is and the style, or beyond."""
    eye = torch.eye(3).to(guide.matrix)[None]
    matrix, offset = torch.lerp(eye, guide.matrix, strength), strength * guide.offset
    code = torch.lerp(own, guide.code, strength)

    even = weights.evenness(mapped(x, matrix, offset), code) if max(x.shape[2:]) > TILE else None

    def brush(x: Images) -> Images:
        return weights.paint(mapped(x, matrix, offset), code, even)

    return local(brush, x, weights.reach)


def _looked_at(x: Images) -> Images:
    """A picture in the size that its colours and its style are taken from."""
    shorter = min(x.shape[2:])
    return x if shorter <= LOOK else resized(x, [round(side * LOOK / shorter) for side in x.shape[2:]]).clamp(0, 1)

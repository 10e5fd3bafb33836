"""Painting pictures anew with a learned translation."""

from __future__ import annotations

from typing import Annotated

import torch
from torch.nn import functional

from danqing.core.fields.number import Range
from danqing.core.learned.painting import Translator
from danqing.core.operators.operator import operator
from danqing.core.operators.tiles import TILE, local
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, shared
from danqing.maths.fitting import in_channels
from danqing.maths.pyramid import resized


@operator(version=2)
def translate(
    x: Images,
    weights: Translator,
    back: bool = False,
    strength: Annotated[float, Range(0, 2)] = 1.0,
    scale: Annotated[float, Range(0.25, 4)] = 1.0,
) -> Job[Images]:
    """Paint pictures anew with a translation learned from pairs or from two sets.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; they should look like those that it learned from, in size, too.
        weights: a trained pix2pix or cyclegan.
        back: translate the other way, where it was learned (cyclegan).
        strength: how far pictures go to what is painted, 0 leaves them as they are, 1 goes all the way, more
            exaggerates.
        scale: the size of strokes; larger ones are painted on a smaller picture, whose fine detail is lost.

    Returns:
        A job with pictures of the same size, in the model's colours.

    Raises:
        ParameterError: if the other way was not learned.

    Source: Isola et al. 2017, arXiv:1611.07004; Zhu et al. 2017, arXiv:1703.10593.

    Examples:
        danqing translate print.png --weights runs/pix2pix-1 --out brush.png
        danqing translate photo.png --weights runs/zoo-photo-to-gogh --strength 0.8 --out painted.png
    """
    made = []
    for item in range(len(x)):
        yield Progress(item, len(x), "translating")
        picture = in_channels(x[item : item + 1], weights.config["channels"])
        painted = yield from shared(_painted(picture, weights, back, scale), item, 1, total=len(x))
        made.append(torch.lerp(picture, painted, strength).clamp(0, 1))
    return torch.cat(made)


def _painted(x: Images, weights: Translator, back: bool, scale: float) -> Job[Images]:
    """Paint one picture (1, C, H, W), a large one tile by tile, evened as the whole."""
    small = x if scale == 1 else resized(x, [max(1, round(side / scale)) for side in x.shape[2:]]).clamp(0, 1)
    even = weights.evenness(small, back) if max(small.shape[2:]) > TILE else None

    def paint(part: Images) -> Images:
        with torch.no_grad():
            return weights.translate(part, back, even).float()

    made = yield from local(paint, small, weights.reach)
    return made if scale == 1 else functional.interpolate(made, x.shape[2:], mode="bicubic", align_corners=False)

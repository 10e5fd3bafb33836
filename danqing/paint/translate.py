"""Painting pictures anew with a learned translation."""

from __future__ import annotations

import torch

from danqing.core.learned.painting import Translator
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.maths.fitting import in_channels


@operator
def translate(x: Images, weights: Translator, back: bool = False) -> Job[Images]:
    """Paint pictures anew with a translation learned from pairs or from two sets.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; they should look like those that it learned from, in size, too.
        weights: a trained pix2pix or cyclegan.
        back: translate the other way, where it was learned (cyclegan).

    Returns:
        A job with pictures of the same size, in the model's colours.

    Raises:
        ParameterError: if the other way was not learned.

    Source: Isola et al. 2017, arXiv:1611.07004; Zhu et al. 2017, arXiv:1703.10593.

    Examples:
        danqing translate print.png --weights runs/pix2pix-1 --out brush.png
    """
    made = []
    for item in range(len(x)):
        yield Progress(item, len(x), "translating")
        with torch.no_grad():
            made.append(weights.translate(in_channels(x[item : item + 1], weights.config["channels"]), back).float())
    return torch.cat(made)

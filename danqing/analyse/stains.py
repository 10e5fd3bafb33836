"""The operator stains."""

from __future__ import annotations

import torch

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.opacity import opacity_of, unhidden, weights_of
from danqing.nets.stain_estimate import stains_on


@operator(version=3)
def stains(x: Images, alpha: Mask | None = None) -> Job[Figures]:
    """Find stains of water, tea and foxing on photographs and prints.

    A print in black and white or sepia holds one line of colours, from its paper to its black; whatever is browner than
    that line was not in the picture. On a photograph in colours a net says what looks laid on it. Ink hides what is
    under it, and is found by ``scratches``.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        For each picture ``share`` (of what is seen of it that is stained) and ``density`` (of the densest place, in the
        channel that lost most light); and the mask (B, 1, H, W), 1 on stains.

    Source: danqing, :mod:`danqing.maths.stain_density` on prints of one tone, else :mod:`danqing.models.stainmeter`.

    Examples:
        danqing stains old.png --out stains.png
        danqing stains old.png --json
    """
    opacity = opacity_of(x, alpha)
    weights = weights_of(x, opacity)
    numbers, masks = [], []
    for at, (picture, weight) in enumerate(zip(unhidden(x, opacity).split(1), weights, strict=True)):
        yield Progress(at + 0.1, len(x), "looking for stains")
        found = stains_on(picture)
        mask = found.sure * (weight > 0)
        share = float((mask[0, 0] * weight).double().sum() / weight.double().sum())
        numbers.append({"share": share, "density": float((found.density * mask).max())})
        masks.append(mask)
    return Figures(numbers, torch.cat(masks))

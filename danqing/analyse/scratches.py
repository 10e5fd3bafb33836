"""The operator scratches."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.opacity import opacity_of, unhidden, weights_of
from danqing.nets.stain_estimate import hidden_or_inked


@operator(version=4)
def scratches(
    x: Images,
    radius: Annotated[int, Range(1, 20, "px")] = 2,
    strength: Annotated[float, Range(0, 1)] = 0.5,
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Find scratches, dust, folds and blots of ink on photographs, with nets that learned what they look like.

    Thin bright things in the picture itself, such as wires, straws and glints, may look alike:
    have a look at the mask before it is given to ``inpaint``, and lower the strength or take them out by hand.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: half the width of the widest scratch; raise it for large scans.
        strength: from 0, only what can hardly be anything else, to 1, whatever might be one; blots are marked where
            they can hardly be anything else.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        For each picture ``share`` (of what is seen of it that is marked), ``count`` (of scratches and specks) and
        ``largest`` (the longer side, in pixels, of the box around the largest); and the mask (B, 1, H, W), 1 on
        scratches and a pixel around them, as ``inpaint`` takes it.

    Source: danqing, the nets of :mod:`danqing.models.marker` and, for ink, :mod:`danqing.models.stainmeter`.

    Examples:
        danqing scratches photo.png --out mask.png
        danqing scratches photo.png --strength 0.2 --json
    """
    opacity = opacity_of(x, alpha)
    weights = weights_of(x, opacity)
    masks = []
    for at, picture in enumerate(unhidden(x, opacity).split(1)):
        yield Progress(at + 0.1, len(x), "looking for lines and specks")
        masks.append(hidden_or_inked(picture, radius, strength))
    mask = torch.cat(masks) * (weights > 0)[:, None]
    return Figures([_described(each[0], weight) for each, weight in zip(mask, weights, strict=True)], mask)


def _described(mask: Tensor, weight: Tensor) -> dict[str, Any]:
    import cv2

    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask.cpu().numpy().astype(np.uint8), connectivity=8)
    sides = boxes[1:, 2:4]
    share = float((mask * weight).double().sum() / weight.double().sum())
    return {"share": share, "count": len(sides), "largest": int(sides.max()) if len(sides) else 0}

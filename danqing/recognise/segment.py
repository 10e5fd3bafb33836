"""The operator segment."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.learned.finder import Parser
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness
from danqing.maths.found import known_labels
from danqing.maths.guided import enlarged_along
from danqing.maths.opacity import opacity_of


@operator
def segment(
    x: Images,
    weights: Parser,
    only: Only = "",
    softness: Annotated[float, Range(0, 1)] = 0.7,
    side: Annotated[int, Range(32, 2048, "px")] | None = None,
    alpha: Mask | None = None,
) -> Job[Mask]:
    """Mark the pixels of one's own classes, with soft edges, as a mask for other operators.

    ``detect`` with the same weights tells the pieces apart instead, each with its box.

    Args:
        x: pictures of any size.
        weights: a segmenter that was trained on such classes: a run folder or a .safetensors file.
        only: classes that are marked, with commas between; empty: all.
        softness: how wide the edge is; at 1 the net's own shares are kept, at 0 pixels belong or not.
        side: longer side in pixels to which a picture is shrunk for the net; not given: that which it learned from.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        A job with masks (B, 1, H, W): the share of each pixel that belongs to these classes.

    Raises:
        ParameterError: for a class that the net does not know.

    Source: the net of danqing.models.segmenter; edges by K. He, J. Sun, "Fast guided filter", 2015.

    Examples:
        danqing segment photo.png --weights runs/segmenter-001 --out leaves.png
        danqing segment photo.png --weights runs/segmenter-001 --only leaf --softness 0 --out leaf.png
    """
    wanted = known_labels(only, weights.names) or set(weights.names)
    planes = [1 + at for at, name in enumerate(weights.names) if name in wanted]
    masks = []
    for at, picture in enumerate(laid_on(x, opacity_of(x, alpha)).split(1)):
        yield Progress(at, len(x), "looking at pixels")
        share = weights.shares(picture, side)[:, planes].sum(1, keepdim=True)
        masks.append(_enlarged(share, picture).clamp(0, 1))
    low = (1 - softness) * 0.499
    return ((torch.cat(masks) - low) / (1 - 2 * low)).clamp(0, 1)


def _enlarged(share: Mask, picture: Images) -> Mask:
    """Shares as large as the picture, whose edges follow the picture's where they were computed on a smaller one."""
    if share.shape[-2:] == picture.shape[-2:]:
        return share
    small = torch.nn.functional.interpolate(
        picture, share.shape[-2:], mode="bilinear", antialias=True, align_corners=False
    )
    return enlarged_along(share, brightness(small), brightness(picture))

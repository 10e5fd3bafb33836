"""The operator patch_style."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Generator

from danqing.core.fields.number import Range
from danqing.core.fields.painting import Painting
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, shared
from danqing.maths.patch_distribution import patches_matched
from danqing.maths.style_choice import laid_over, styles_for


@operator(version=2)
def patch_style(
    x: Images,
    style: Painting,
    mask: Mask | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    colours: Literal["painting", "photograph"] = "painting",
    scale: Annotated[float, Range(0.25, 4)] = 1.0,
    steps: Annotated[int, Range(1, 1000)] = 20,
    seed: Seed = 0,
) -> Job[Images]:
    """Give pictures the colours and the grain of a painting without any net, by matching how its small patches are.

    It gives colour and grain rather than strokes, since it knows nothing of what is seen; ``style_model`` and
    ``neural_style`` paint strokes.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        style: the painting, of any size: one for all pictures, or one for each.
        mask: where it goes, 1 (white) means "here", of the size of the pictures; elsewhere they stay as they are.
        strength: how far patches go to those of the painting.
        colours: those of the painting, or those the photograph has: what is grey stays grey.
        scale: the size of the grain; 1 is that of a painting as large as the picture.
        steps: random directions in which patches are matched, at each size.
        seed: where the random directions start.

    Returns:
        A job with colour pictures of the same size; above a megapixel, detail finer than of that many stays as it is.

    Raises:
        ParameterError: if the painting is smaller than 8 px, or the mask marks nothing or has another size.

    Source: A. Elnekave, Y. Weiss, "Generating natural images with direct patch distribution matching", 2022 (sliced
    Wasserstein distance of patches); here each view is matched by sorting, as F. Pitié et al. do with colours.

    Examples:
        danqing patch_style photo.png --style painting.jpg --steps 1 --out painted.png
    """
    pieces = []
    for at in range(len(x)):
        picture = x[at : at + 1].expand(-1, 3, -1, -1)
        asked = styles_for(x, at, [style], [mask], (1.0,), scale, colours == "photograph")
        work = patches_matched(picture, asked.wanted[0].picture, Generator().manual_seed(seed), steps)
        made = yield from shared(work, at, 1, total=len(x))
        pieces.append(laid_over(picture, torch.lerp(picture, made, strength), asked))
    return torch.cat(pieces)

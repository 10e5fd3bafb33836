"""The operator collage."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import filled, premultiplied
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job
from danqing.maths.each_regrown import check_large, each_regrown
from danqing.maths.fitting import in_channels
from danqing.maths.opacity import opacity_of
from danqing.maths.regrowing import Way


@operator(geometry=True, together=True, version=4)
def collage(
    x: Images,
    layout: Images,
    detail: Annotated[int, Range(16, 64, "px")] = 48,
    radius: Annotated[int, Range(1, 8, "px")] = 3,
    seed: Seed = 0,
    layout_alpha: Mask | None = None,
) -> Job[Images]:
    """Rearrange a picture by a rough collage of its parts, so that no seam is seen.

    What stands in the layout twice is painted twice; what it leaves out is gone. Paste parts as large as they are in
    the picture.

    Args:
        x: pictures (B, C, H, W) in [0, 1] that everything is painted from.
        layout: pasted or painted roughly in the picture's colours, one picture or as many as ``x``; its size is that of
            the result.
        detail: the shorter side of the layout where it is looked at: more keeps more of it, its seams in the end, too.
        radius: how far a patch reaches from its middle.
        seed: where the search for fitting patches starts.
        layout_alpha: opacity of the layout, of its size, which that of the result follows where the pictures are
            transparent; not given: its own, or opaque.

    Returns:
        A job with pictures (B, C, height, width) of the layout's size.

    Raises:
        ParameterError: if a picture or the layout is smaller than 16 px, there are neither one layout nor as many as
            pictures, or the opacity has another size than the layout.

    Source: Granot et al. 2022, "Drop the GAN", section 3.2 (collage, structural analogies).

    Examples:
        danqing collage beach.jpg pasted.png --out moved.png
    """
    if len(layout) not in (1, len(x)):
        raise ParameterError(f"{len(layout)} layouts for {len(x)} pictures", where="layout", remedy="Give one")
    check_large(layout, "layout")
    plans = _planned(layout, layout_alpha, x.shape[1]).expand(len(x), -1, -1, -1).permute(0, 2, 3, 1).numpy()
    size, way = (layout.shape[2], layout.shape[3]), Way(coarsest=detail, fair=False)
    return (yield from each_regrown(x, lambda item, source, rng: [plans[item]], size, radius, seed, way=way))


def _planned(layout: Images, layout_alpha: Mask | None, planes: int) -> Images:
    """The layout in the planes of a picture: colours, and opacity after premultiplied ones where there are 2 or 4."""
    opacity = opacity_of(layout, layout_alpha, "layout_alpha")
    colours = in_channels(layout, 3 if planes > 2 else 1)
    if planes == colours.shape[1]:
        return colours if opacity is None else filled(colours, opacity)
    alpha = torch.ones_like(colours[:, :1]) if opacity is None else opacity
    return torch.cat([premultiplied(colours, alpha), alpha], 1)

"""The operator collage."""

from __future__ import annotations

from typing import Annotated

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.each_regrown import each_regrown
from danqing.maths.fitting import in_channels
from danqing.maths.regrowing import Way


@operator(version=3)
def collage(
    x: Images,
    layout: Images,
    detail: Annotated[int, Range(16, 64, "px")] = 48,
    radius: Annotated[int, Range(1, 8, "px")] = 3,
    seed: Seed = 0,
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

    Returns:
        A job with pictures (B, C, height, width) of the layout's size.

    Raises:
        ParameterError: if a picture is smaller than 16 px, or there are neither one layout nor as many as pictures.

    Source: Granot et al. 2022, "Drop the GAN", section 3.2 (collage, structural analogies).

    Examples:
        danqing collage beach.jpg pasted.png --out moved.png
    """
    if len(layout) not in (1, len(x)):
        raise ParameterError(f"{len(layout)} layouts for {len(x)} pictures", where="layout", remedy="Give one")
    plans = in_channels(layout, x.shape[1]).expand(len(x), -1, -1, -1).permute(0, 2, 3, 1).numpy()
    size, way = (layout.shape[2], layout.shape[3]), Way(coarsest=detail, fair=False)
    return (yield from each_regrown(x, lambda item, source, rng: [plans[item]], size, radius, seed, way=way))

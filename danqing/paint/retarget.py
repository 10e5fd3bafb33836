"""The operator retarget."""

from __future__ import annotations

from typing import Annotated

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.each_regrown import each_regrown, size_times


@operator(geometry=True, together=True, version=4)
def retarget(
    x: Images,
    wider: Annotated[float, Range(0.25, 4, "times")] = 1.0,
    taller: Annotated[float, Range(0.25, 4, "times")] = 1.0,
    radius: Annotated[int, Range(1, 8, "px")] = 3,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint a picture in another shape: what repeats is repeated more or less often, and nothing is squeezed.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        wider: how many times as wide as the picture the result is.
        taller: how many times as tall.
        radius: how far a patch reaches from its middle.
        seed: where the search for fitting patches starts.

    Returns:
        A job with pictures (B, C, taller · H, wider · W).

    Raises:
        ParameterError: if a picture is smaller than 16 px.

    Source: Granot et al. 2022, "Drop the GAN", section 3.2; the problem: Simakov et al. 2008, "Summarizing visual data
    using bidirectional similarity".

    Examples:
        danqing retarget arcade.jpg --wider 0.75 --out narrow.png
    """
    size = size_times(x, wider, taller)
    return (yield from each_regrown(x, lambda item, source, rng: [source], size, radius, seed))

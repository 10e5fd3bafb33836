"""The operator grow_texture."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from numpy.random import Generator

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.each_regrown import each_regrown, size_times
from danqing.maths.regrowing import Plane, levels_of, shuffled

BLOCKS = (6, 9, 13)  # sides of the blocks of first guesses on the coarsest level, px
EACH = 2  # guesses of each; six were no nearer in the end, on brick, grass and gravel


@operator(geometry=True, together=True, version=5)
def grow_texture(
    x: Images,
    wider: Annotated[float, Range(0.25, 4, "times")] = 1.0,
    taller: Annotated[float, Range(0.25, 4, "times")] = 1.0,
    tileable: bool = True,
    radius: Annotated[int, Range(1, 8, "px")] = 3,
    seed: Seed = 0,
) -> Job[Images]:
    """Grow a texture of any size from one picture of it, seamless if it is to be tiled.

    Args:
        x: pictures (B, C, H, W) in [0, 1] of a texture: brick, grass, cloth; each is grown by itself.
        wider: how many times as wide as the picture the result is.
        taller: how many times as tall.
        tileable: whether opposite edges meet.
        radius: how far a patch reaches from its middle.
        seed: another one grows another.

    Returns:
        A job with a picture of each, (B, C, taller · H, wider · W).

    Raises:
        ParameterError: if a picture is smaller than 16 px.

    Source: Granot et al. 2022, "Drop the GAN", as ``danqing.maths.regrowing`` has it.

    Examples:
        danqing grow_texture brick.png --taller 0.5 --seed 3 --out wall.png
    """
    size = size_times(x, wider, taller)
    return (yield from each_regrown(x, partial(_shuffled, size=size), size, radius, seed, tileable))


def _shuffled(item: int, source: Plane, rng: Generator, size: tuple[int, int]) -> list[Plane]:
    """Blocks from anywhere, side by side, of several sizes."""
    share = levels_of(source.shape[:2])[-1]
    return [shuffled(source, size, rng, max(4, round(side / share))) for side in BLOCKS for _ in range(EACH)]

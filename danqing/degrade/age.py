"""The operator age."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.ageing import Wear, worn
from danqing.maths.degradation import faded, gaussian_noise

GRAIN = 3 / 255  # σ
SEEN = 0.05  # density from which a stain is seen


@operator(version=2)
def age(
    x: Images,
    fading: Annotated[float, Range(0, 1)] = 0.6,
    scratches: Annotated[int, Range(0, 200)] = 8,
    folds: Annotated[int, Range(0, 20)] = 1,
    stains: Annotated[int, Range(0, 50)] = 1,
    output: Literal["picture", "mask", "stains"] = "picture",
    seed: Seed = 0,
) -> Images:
    """Age pictures as a drawer does: faded dyes, scratches, dust, folds, stains and grain.

    The same seed and numbers draw the same marks on pictures of the same size: run it twice to have both the picture
    and the mask of what is hidden.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        fading: of the dyes and the paper, as ``fade`` has it; 0 is new.
        scratches: how many lines; specks of dust and hairs are three times as many.
        folds: how many, each through the whole picture; beside its crease lies a shadow.
        stains: how many, each of water, tea, a group of foxing spots, or, one in eight, ink, which alone hides what is
            under it.
        output: the aged picture, or a mask alone: white where scratches, dust, creases and ink hide it, or (stains)
            where a stain dims it.
        seed: another one draws other marks.

    Returns:
        Pictures of the same size; masks are grey.

    Source: danqing, as :mod:`danqing.maths.ageing` has it: y = (1 - a) x + a c for what hides, y = x exp(-D) for
        stains and the shadows of folds; fading as ``fade``, before; a grain of σ = 3 of 255 lies under the marks.

    Examples:
        danqing age photo.png --seed 4 --out old.png
        danqing age photo.png --seed 4 --output mask --out mask.png
        danqing age photo.png --fading 0 --folds 0 --stains 0 --scratches 20 --out scratched.png
    """
    rng = torch.Generator().manual_seed(seed)
    old = faded(x, torch.tensor(fading), rng)
    old = gaussian_noise(old, torch.tensor([GRAIN]), rng)
    marked = worn(old, [Wear(scratches, 3 * scratches, folds, stains)] * len(x), rng)
    if output == "stains":
        return (marked.stained.amax(1, keepdim=True) > SEEN).to(x)
    return marked.hidden if output == "mask" else marked.x

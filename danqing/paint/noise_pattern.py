"""The operator noise_pattern."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.procedural import octaves

OCTAVES, PERSISTENCE = 6, 0.5


@operator
def noise_pattern(
    width: Annotated[int, Range(8, 8192, "px")] = 512,
    height: Annotated[int, Range(8, 8192, "px")] = 512,
    kind: Literal["perlin", "simplex", "ridges"] = "perlin",
    scale: Annotated[float, Range(2, 4096, "px")] = 128,
    tileable: bool = False,
    seed: Seed = 0,
) -> Images:
    """Paint clouds by rule: Perlin noise, simplex noise, or sharp ridges.

    Args:
        width: of the picture.
        height: of the picture.
        kind: "perlin" lies on a square grid and can be tiled, "simplex" on triangles, without the grid's directions;
            "ridges" folds Perlin noise into crests, as of mountains or marble.
        scale: length of the largest waves; five finer noises are added, each half as long and half as strong.
        tileable: whether opposite edges meet; the largest wave is then fitted into the sides.
        seed: another one paints another picture.

    Returns:
        one grey picture.

    Raises:
        ParameterError: for simplex noise that should be tileable.

    Source: Perlin 2002, "Improving noise"; Gustavson 2005, "Simplex noise demystified"; ridges: Musgrave 1998.

    Examples:
        danqing noise_pattern --kind ridges --tileable --seed 7 --out marble.png
    """
    if kind == "simplex" and tileable:
        remedy = "Take --kind perlin"
        raise ParameterError("its triangles do not fit into a rectangle's sides", where="tileable", remedy=remedy)
    rng = np.random.default_rng(seed)
    made = octaves(kind, height, width, scale, OCTAVES, PERSISTENCE, rng, tileable)
    plane = 1 - np.abs(made) * 1.6 if kind == "ridges" else 0.5 + made / 2
    return torch.from_numpy(plane.clip(0, 1).astype(np.float32))[None, None]

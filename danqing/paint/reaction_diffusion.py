"""The operator reaction_diffusion."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.procedural import gray_scott

EVEN = 1e-3  # what is left when a pattern has died out
KINDS = {"coral": (0.0545, 0.062), "spots": (0.03, 0.0615), "maze": (0.029, 0.057), "worms": (0.046, 0.063)}


@operator
def reaction_diffusion(
    width: Annotated[int, Range(16, 2048, "px")] = 256,
    height: Annotated[int, Range(16, 2048, "px")] = 256,
    kind: Literal["coral", "spots", "maze", "worms"] = "coral",
    steps: Annotated[int, Range(1, 50_000, "steps")] = 4000,
    seed: Seed = 0,
) -> Job[Images]:
    """Grow patterns by rule, as on shells and skins; opposite edges always meet.

    Args:
        width: of the picture.
        height: of the picture.
        kind: which pattern: how fast one substance flows in and the other is taken out.
        steps: steps for which the pattern grows.
        seed: where the pattern begins.

    Returns:
        A job with one grey picture, stretched from black to white.

    Source: Gray & Scott 1984; Pearson 1993, "Complex patterns in a simple system", eq. 1.

    Examples:
        danqing reaction_diffusion --kind maze --seed 3 --out maze.png
    """
    made = yield from gray_scott(height, width, *KINDS[kind], steps, np.random.default_rng(seed))
    low, high = float(made.min()), float(made.max())
    if high - low < EVEN:
        note(f"the pattern died out on {width}×{height} px: take another seed, fewer steps, or more room")
    plane = (made - low) / max(high - low, 1e-6)
    return torch.from_numpy(plane.clip(0, 1).astype(np.float32))[None, None]

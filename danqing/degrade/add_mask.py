"""The operator add_mask."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths import masks
from danqing.maths.colour import pixel

DRAWN = {
    "free-form": masks.free_form,
    "boxes": masks.boxes,
    "text": masks.text_mask,
    "scratches": masks.scratch_lines,
}


@operator
def add_mask(
    x: Images,
    kind: Literal["free-form", "boxes", "text", "scratches"] = "free-form",
    share: Annotated[float, Range(0, masks.MOST)] = 0.2,
    fill: Colour = (1.0, 1.0, 1.0),
    output: Literal["picture", "mask"] = "picture",
    seed: Seed = 0,
) -> Images:
    """Paint holes over pictures: brush strokes, boxes, text or scratches.

    The same seed, kind and share draw the same holes on pictures of the same size: run it twice to have both the
    picture with holes and the mask of the holes.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        kind: what is drawn.
        share: of the pixels that are covered, to the pixel.
        fill: the colour of the holes.
        output: the picture with holes, or the mask alone, white in the holes.
        seed: another one draws other holes.

    Returns:
        Pictures of the same size; masks are grey.

    Source: y = x (1 - m) + c m; free-form masks as J. Yu et al., "Free-form image inpainting with gated convolution",
        2019, algorithm 1; the others: danqing.

    Examples:
        danqing add_mask photo.png --share 0.2 --seed 3 --out holes.png
        danqing add_mask photo.png --share 0.2 --seed 3 --output mask --out mask.png
        danqing add_mask photo.png --kind scratches --share 0.02 --out scratched.png
    """
    rng = torch.Generator().manual_seed(seed)
    mask = DRAWN[kind](len(x), x.shape[2], x.shape[3], share, rng).to(x.device)
    return mask if output == "mask" else torch.where(mask > 0, pixel(fill, x), x)

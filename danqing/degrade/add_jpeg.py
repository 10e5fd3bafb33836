"""The operator add_jpeg."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.degradation import jpeg


@operator(reach=16)  # one block of halved colour
def add_jpeg(
    x: Images,
    quality: Annotated[int, Range(5, 95)] = 30,
    chroma: Literal["4:2:0", "4:2:2", "4:4:4"] = "4:2:0",
) -> Images:
    """Leave the traces of JPEG compression: blocks, ringing and washed-out colour.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        quality: of libjpeg's standard tables; lower leaves more traces.
        chroma: colour at half the resolution, as in most files (4:2:0), along the width only (4:2:2), or at all of it.

    Returns:
        Pictures of the same size, as a JPEG file of that quality shows them; grey ones as a grey file does.

    Source: ITU-T T.81 (baseline, tables K.1 and K.2 scaled as by the Independent JPEG Group), by Pillow's libjpeg.

    Examples:
        danqing add_jpeg photo.png --quality 10 --out blocks.png
    """
    return jpeg(x, torch.tensor(quality), chroma)

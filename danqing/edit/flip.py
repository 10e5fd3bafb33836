"""The operator flip."""

from __future__ import annotations

from typing import Literal

import torch

from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images

_AXES = {"horizontal": (3,), "vertical": (2,), "both": (2, 3)}


@operator(geometry=True)
def flip(x: Images, direction: Literal["horizontal", "vertical", "both"] = "horizontal") -> Images:
    """Mirror pictures left to right, top to bottom, or both.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        direction: horizontal swaps left and right, vertical swaps top and bottom, both is half a turn.

    Returns:
        Pictures of the same size, every pixel value kept.

    Source: danqing.

    Examples:
        danqing flip photo.png --direction vertical --out flipped.png
    """
    return torch.flip(x, _AXES[direction])

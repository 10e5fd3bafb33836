"""The operator deblur."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.nets.cleaning import cleaned


def _settled(x: Images, clean: bool, weights: Restorer, seen: Mask | None) -> dict[str, Images]:
    return {"x": cleaned(x, seen) if clean and not weights.mixed else x}


@operator(reach=lambda weights: weights.reach, settle=_settled, version=4)
def deblur(
    x: Images,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    clean: bool = True,
    weights: Annotated[Restorer, ForTask("deblur")] = "deblur-small",  # type: ignore[assignment]
) -> Images:
    """Sharpen what is out of focus or was shaken with a neural network, without knowing how.

    Where the blur is known, ``deconvolve`` undoes just that one.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: share of the change that is made to the picture, cleaned.
        clean: take noise and traces of JPEG away first, where ``repair`` would; what is left of them is sharpened, too.
            Weights that learned mixed damage get the picture as it is.
        weights: the bundled deblur-small, or a restorer of one's own.

    Returns:
        Pictures of the same size; grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.

    Source: the net of danqing.models.restorer.

    Examples:
        danqing deblur photo.png --out sharp.png
    """
    return torch.lerp(x, weights.restore(x), strength)

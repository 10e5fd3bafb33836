"""The operator deblur."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.contract import Images, Mask


def _settled(x: Images, clean: bool, weights: Restorer, seen: Mask | None) -> dict[str, Images]:
    """What the net would take for detail and sharpen, noise and the blocks of JPEG, is taken away before."""
    if not clean or weights.mixed:
        return {"x": x}
    return {"x": use("repair")(x, never="shading,scratches,stains,fading,blur", alpha=seen).picture}


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

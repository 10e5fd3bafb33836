"""How well classes were named: the confusion matrix and what is read off it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class ClassScores(NamedTuple):
    """Precision, recall and F1 of each class (K,), float64; 0 where there is nothing to divide by."""

    precision: Tensor
    recall: Tensor
    f1: Tensor


def confusion_matrix(truth: Tensor, named: Tensor, classes: int) -> Tensor:
    """Count how often each class was named what.

    Args:
        truth: the right classes, int64 (N,).
        named: the classes given, int64 (N,).
        classes: how many there are, K.

    Returns:
        int64 (K, K): a row for each right class, a column for each name given.

    Source: scikit-learn's and torchmetrics' convention for rows and columns.
    """
    return torch.bincount(truth * classes + named, minlength=classes**2).view(classes, classes)


def class_scores(matrix: Tensor) -> ClassScores:
    """Read precision, recall and F1 of each class off a confusion matrix.

    Source: van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    hits, named, there = (each.double() for each in (matrix.diagonal(), matrix.sum(0), matrix.sum(1)))
    one = torch.ones((), dtype=torch.float64)  # hits are 0 wherever it stands in for a 0
    return ClassScores(hits / named.max(one), hits / there.max(one), 2 * hits / (named + there).max(one))


def macro(scores: ClassScores, matrix: Tensor) -> tuple[float, float, float]:
    """Average precision, recall and F1 over the classes, all alike; classes that were neither there nor named are out.

    Source: torchmetrics' convention for absent classes.
    """
    met = (matrix.sum(0) + matrix.sum(1)) > 0
    precision, recall, f1 = (float(each[met].mean()) for each in scores)
    return precision, recall, f1


def wilson_interval(hits: int, count: int) -> tuple[float, float]:
    """Bound the probability behind ``hits`` of ``count`` independent trials at 95 %; it stays in [0, 1].

    Args:
        hits: 0…count.
        count: at least 1.

    Returns:
        the lower and the upper bound.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference; by SciPy.
    """
    from scipy.stats import binomtest

    low, high = binomtest(hits, count).proportion_ci(0.95, "wilson")
    share = hits / count
    return min(share, float(low)), max(share, float(high))  # at 0 and 1 rounding could leave the share outside

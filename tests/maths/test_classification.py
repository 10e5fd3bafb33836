"""Class scores against torchmetrics, the interval against closed forms and its coverage."""

from __future__ import annotations

import pytest
import torch
from scipy import stats
from torchmetrics.functional.classification import (
    multiclass_confusion_matrix,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from danqing.maths.classification import class_scores, confusion_matrix, macro, wilson_interval


@pytest.mark.parametrize("absent", [False, True])
def test_figures_are_those_of_torchmetrics(absent: bool) -> None:
    rng = torch.Generator().manual_seed(0)
    truth, named = (torch.randint(0, 4 if absent else 6, (300,), generator=rng) for _ in range(2))
    named = torch.where(torch.rand(300, generator=rng) < 0.6, truth, named)
    truth[truth == 2] = 1 if absent else 2  # a class that is named but never there
    matrix = confusion_matrix(truth, named, 6)
    assert torch.equal(matrix, multiclass_confusion_matrix(named, truth, 6))
    metrics = (multiclass_precision, multiclass_recall, multiclass_f1_score)
    averages = macro(class_scores(matrix), matrix)
    for ours, average, theirs in zip(class_scores(matrix), averages, metrics, strict=True):
        torch.testing.assert_close(ours.float(), theirs(named, truth, 6, average="none"))
        assert average == pytest.approx(float(theirs(named, truth, 6, average="macro")), rel=1e-5)


def test_wilson_is_scipys_and_stays_in_range() -> None:
    for hits, count in ((0, 10), (10, 10), (7, 10), (1995, 2000), (1, 1)):
        expected = stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
        assert wilson_interval(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-6)
        assert 0 <= wilson_interval(hits, count)[0] <= hits / count <= wilson_interval(hits, count)[1] <= 1

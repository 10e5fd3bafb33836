"""Class scores against torchmetrics (recorded), the interval against closed forms and its coverage."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import torch
from scipy import stats

from danqing.maths.classification import class_scores, confusion_matrix, macro, wilson_interval

GOLDEN = Path(__file__).parents[1] / "golden"
RECORD = runpy.run_path(str(GOLDEN / "record.py"))
RECORDED = json.loads((GOLDEN / "classification.json").read_text())


@pytest.mark.parametrize("absent", [False, True])
def test_figures_are_those_of_torchmetrics(absent: bool) -> None:
    truth, named = (torch.from_numpy(numbers) for numbers in RECORD["answers"](absent))
    theirs = RECORDED["sets"]["some absent" if absent else "all there"]
    matrix = confusion_matrix(truth, named, 6)
    assert matrix.tolist() == theirs["matrix"]
    averages = macro(class_scores(matrix), matrix)
    scores = ("precision", "recall", "f1_score")
    for ours, average, score in zip(class_scores(matrix), averages, scores, strict=True):
        torch.testing.assert_close(ours.float(), torch.tensor(theirs[score]))
        assert average == pytest.approx(theirs[f"macro {score}"], rel=1e-5)


def test_wilson_is_scipys_and_stays_in_range() -> None:
    for hits, count in ((0, 10), (10, 10), (7, 10), (1995, 2000), (1, 1)):
        expected = stats.binomtest(hits, count).proportion_ci(0.95, method="wilson")
        assert wilson_interval(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-6)
        assert 0 <= wilson_interval(hits, count)[0] <= hits / count <= wilson_interval(hits, count)[1] <= 1

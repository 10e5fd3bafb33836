"""stains says how much of a print is stained, and where; what is not seen does not count."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing import age, stains
from danqing.maths.colour import luma

NEW = {"fading": 0.3, "scratches": 0, "folds": 0}


def printed(x: Tensor) -> Tensor:
    return luma(x[..., :200, :240]).clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def test_it_marks_what_age_stained(chelsea: Tensor) -> None:
    clean = printed(chelsea)
    old, there = (age(clean, seed=3, stains=2, output=output, **NEW) for output in ("picture", "stains"))
    found = stains(torch.cat([old, age(clean, seed=3, stains=0, **NEW)]))
    assert float((found.picture[:1] * there).sum() / there.sum()) > 0.9
    assert float((found.picture[:1] * there).sum() / found.picture[:1].sum()) > 0.7
    assert abs(found.numbers[0]["share"] - float(found.picture[0].mean())) < 1e-6
    assert 0.1 < found.numbers[0]["density"] < 2
    assert found.numbers[1]["share"] < 1e-3


def test_what_is_cut_out_does_not_count(chelsea: Tensor) -> None:
    old = age(printed(chelsea), seed=3, stains=2, **NEW)
    alpha = torch.ones(1, 1, 200, 240)
    alpha[..., 200:] = 0
    found, whole = stains(old, alpha=alpha), stains(old)
    assert found.numbers[0]["share"] > 0.01
    for under in (torch.zeros_like(old), torch.rand_like(old)):
        again = stains(old.where(alpha > 0, under), alpha=alpha)
        assert torch.equal(again.picture, found.picture)
        assert again.numbers == found.numbers
    assert found.picture[..., 200:].sum() == 0
    assert (found.picture - whole.picture)[..., :190].abs().mean() < 0.03  # its line of colours is of what is seen
    assert abs(found.numbers[0]["share"] - float(found.picture[..., :200].mean())) < 1e-6

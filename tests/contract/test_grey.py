"""Pictures without colour get none from whatever restores them, learned or not, as long as colour is not asked for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from samples import pictures, run, runs, settings
from torch import Tensor

from danqing.core.menu import operators
from danqing.core.operators.operator import operator_named

RESTORING = [name for name, entry in operators().items() if entry.group == "restore" and name != "colourise"]


def _picture(made: Any) -> Tensor:
    return made if isinstance(made, Tensor) else made.picture


@pytest.mark.parametrize("name", RESTORING)
def test_three_equal_channels_stay_equal(name: str) -> None:
    op = operator_named(name)
    if not runs(op):
        return
    for seed in (0, 1):
        x = pictures(seed + 1, 1)[seed:].expand(-1, 3, -1, -1).contiguous()
        for params in settings(op):
            made = _picture(run(op, x, params))
            assert float((made.amax(1) - made.amin(1)).max()) <= 2e-6, params  # three channels computed alike, rounded


def test_somebody_is_asked() -> None:
    assert sum(runs(operator_named(name)) for name in RESTORING) >= 12
    assert torch.equal(pictures(1, 1).expand(-1, 3, -1, -1)[:, 0], pictures(1, 1)[:, 0])

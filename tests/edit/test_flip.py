"""flip mirrors, and twice is nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import flip, rotate


def test_it_mirrors_left_and_right_unless_told_otherwise(chelsea: Tensor) -> None:
    assert torch.equal(flip(chelsea)[..., 0], chelsea[..., -1])
    assert torch.equal(flip(chelsea, direction="vertical")[:, :, 0], chelsea[:, :, -1])


@pytest.mark.parametrize("direction", ["horizontal", "vertical", "both"])
def test_twice_is_nothing(direction: str, chelsea: Tensor) -> None:
    assert torch.equal(flip(flip(chelsea, direction=direction), direction=direction), chelsea)


def test_both_is_half_a_turn(chelsea: Tensor) -> None:
    assert torch.equal(flip(chelsea, direction="both"), rotate(chelsea, angle=180))

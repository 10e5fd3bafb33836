"""The rules that painters take by themselves."""

import pytest

from danqing.nets.usual_rules import GAMMA, SIDE, usual_gamma


def test_the_penalty_is_least_where_it_was_found() -> None:
    """Below, too, it grows: with less, painters of 16 px had one picture for each class (docs/adr/0053)."""
    assert usual_gamma(SIDE, 1) == GAMMA
    assert usual_gamma(64, 3) == pytest.approx(3 * GAMMA * (64 / 28) ** 2)
    assert usual_gamma(16, 1) == pytest.approx(GAMMA * (28 / 16) ** 2)
    assert all(usual_gamma(size, 1) > GAMMA for size in range(4, 257) if size != SIDE)

"""How often a run is looked at."""

from types import SimpleNamespace
from typing import Any

import pytest

from danqing.training.options import Options
from danqing.training.pace import Pace
from danqing.training.state import Position

ALONE = SimpleNamespace(world_size=1)


def course(took: float, **options: Any) -> tuple[float, int]:
    """What share of a hundred seconds is spent on looks that take so long, and how many there are."""
    pace, position, looks, looking, step = Pace(Options(**options), ALONE), Position(), 0, 0.0, 0.25
    pace.looked(0.0, took)
    done = 0
    while pace.share(position, 1000) < 1:
        position.seconds += step
        position.seen += 8
        if pace.looks(position, 1000) > looks and not pace.rests(position):
            position.seconds += took
            looking += took
            looks, done = pace.looks(position, 1000), done + 1
            pace.looked(position.seconds, took)
    return looking / position.seconds, done


@pytest.mark.parametrize("took", [0.1, 1.0, 3.0, 10.0, 30.0])
def test_looks_at_shares_of_a_time_leave_it_to_learning(took: float) -> None:
    """A flow paints in many steps: ten looks, each as long as a tenth of the run, would have left it nothing else."""
    share, looks = course(took, budget="100s")
    assert share <= 0.2 + 0.02
    assert looks == (10 if took < 2 else looks)


def test_looks_that_were_asked_for_come_when_they_are_due() -> None:
    assert course(10.0, budget="100s", every="20s")[1] == 5
    assert course(10.0, budget="3200pictures")[1] == 10

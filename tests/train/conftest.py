"""Fixtures of trainings."""

from __future__ import annotations

import pytest

FEW = 128  # pictures: what scores are taken on, where nothing is asked of the scores; sketches have 84 numbers


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at a run that take little, for tests that ask how it goes on and not how good it is."""
    monkeypatch.setattr("danqing.training.setup.SCORED", FEW)
    monkeypatch.setattr("danqing.models.flow.LOOK", 1)

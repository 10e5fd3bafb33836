"""Which precision is quicker is measured once for what decides it, and known for whatever does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.models.mlpgan import MLPGAN
from danqing.training.machine import choose_precision


@pytest.fixture
def choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where choices are remembered; the machine is one that has to choose."""
    monkeypatch.setenv("DANQING_CACHE", str(tmp_path))
    monkeypatch.setattr("danqing.training.machine.computes_bf16", lambda device: True)
    return tmp_path / "choices"


def choose(batch: int = 4, muon: float = 0.0, lr: float = 1e-3, **params: float) -> None:
    model = MLPGAN(8, 1, 0, width=8, **params)  # type: ignore[arg-type]
    choose_precision("auto", model, Samples(torch.rand(batch, 1, 8, 8)), Optimiser(lr, muon=muon))


def test_trials_of_rates_and_penalties_measure_once(choices: Path) -> None:
    for lr, gamma in ((1e-3, 1.0), (2e-3, 1.0), (1e-3, 4.0)):
        choose(lr=lr, gamma=gamma)
    assert len(list(choices.iterdir())) == 1


@pytest.mark.parametrize("other", [{"batch": 8}, {"muon": 0.01}, {"lazy": 1}], ids=str)
def test_other_work_is_measured(choices: Path, other: dict[str, int]) -> None:
    choose()
    choose(**other)
    assert len(list(choices.iterdir())) == 2

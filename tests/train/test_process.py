"""What training sets for its process is lent: nobody else meets it, between two steps or after."""

from __future__ import annotations

import importlib
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import UserError
from danqing.core.learned.weights import load_tensors
from danqing.core.progress import Job, Progress, finish
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.plan import plan
from danqing.training.process import Settings, apart

RUN: dict[str, Any] = {"budget": "96pictures", "batch": 16, "precision": "fp32", "width": 8, "threads": 1}


def config(out: Path, **more: Any) -> TrainConfig:
    return TrainConfig.make("mlpgan", "digits", **{**RUN, "out": out, **more})


def told(settings: Settings) -> tuple[int, bool, bytes]:
    return settings.threads, settings.flushing, settings.generator.numpy().tobytes()


@pytest.fixture(params=[(2, False), (3, True)])
def ours(request: pytest.FixtureRequest) -> Any:
    """Settings of the caller, put back afterwards."""
    before = Settings.now()
    threads, flushing = request.param
    Settings(threads, flushing, torch.Generator().manual_seed(77).get_state()).apply()
    yield told(Settings.now())
    before.apply()


def test_a_caller_keeps_its_settings_between_steps_and_after(ours: Any, tmp_path: Path) -> None:
    for _ in train(config(tmp_path / "run")):
        assert told(Settings.now()) == ours
    assert told(Settings.now()) == ours
    finish(resume(tmp_path / "run", budget="128pictures"))
    finish(plan(config(tmp_path / "plan")))
    assert told(Settings.now()) == ours


def test_a_caller_has_its_settings_back_when_a_run_is_closed_or_refused(ours: Any, tmp_path: Path) -> None:
    job = train(config(tmp_path / "run"))
    for progress in job:
        if "kimg" in progress.words:
            break
    job.close()
    assert told(Settings.now()) == ours
    with pytest.raises(UserError):
        finish(train(config(tmp_path / "none", freeze="wings")))
    assert told(Settings.now()) == ours


def test_what_a_caller_draws_meanwhile_changes_no_run(tmp_path: Path) -> None:
    alone = finish(train(config(tmp_path / "alone"))).model
    together = finish(train(config(tmp_path / "together")), lambda progress: torch.rand(3)).model
    one, two = load_tensors(alone)[1], load_tensors(together)[1]
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_job_meets_its_settings_again() -> None:
    drawn: list[float] = []

    def job() -> Job[None]:
        torch.manual_seed(5)
        for step in range(3):
            drawn.append(float(torch.rand(())))
            yield Progress(step, 3)

    for _ in apart(job()):
        torch.manual_seed(1)
    assert drawn == torch.rand(3, generator=torch.Generator().manual_seed(5)).tolist()


def test_nought_is_given_too(tmp_path: Path) -> None:
    made = config(tmp_path, ema=0, clip=0, decay=0, beta1=0, lr=0, seed=0, conditional=False).options
    assert (made.ema, made.clip, made.decay, made.beta1, made.lr, made.conditional) == (0, 0, 0, 0, 0, False)
    again = TrainConfig.make("mlpgan", "digits", **{**config(tmp_path, ema=1000, lr=1).to_json()["params"], "ema": 0})
    assert again.options.ema == 0


def test_retraining_puts_the_signal_handlers_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    retrain = importlib.import_module("danqing.zoo.retrain")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retrain, "WEIGHTS", tmp_path)
    (tmp_path / "tiny.json").write_text('{"family": "mlpgan", "data": "digits", "width": 8, "budget": "16pictures"}')
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert retrain.retrain(tmp_path / "tiny.json") == tmp_path / "tiny.safetensors"
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_is_not_bundled_stays_in_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    retrain = importlib.import_module("danqing.zoo.retrain")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(retrain, "WEIGHTS", tmp_path / "bundled")
    recipe = tmp_path / "unbundled" / "tiny.json"
    recipe.parent.mkdir()
    recipe.write_text('{"family": "mlpgan", "data": "digits", "width": 8, "budget": "16pictures"}')
    made = retrain.retrain(recipe)
    assert made.is_file()
    assert made.parent == Path("runs/zoo-tiny")
    assert not (tmp_path / "bundled").exists()

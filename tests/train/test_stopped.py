"""Runs that were stopped: what they leave is sound, and stands for their model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import ModelFileError
from danqing.core.learned.weights import load, load_tensors, save_tensors
from danqing.core.progress import Job, finish
from danqing.training.config import TrainConfig
from danqing.training.kit import Kit
from danqing.training.loop import resume, train
from danqing.training.state import checkpoints_in, newest

pytestmark = pytest.mark.usefixtures("quick_looks")

RUN: dict[str, Any] = {"budget": "320pictures", "every": "100pictures", "batch": 16, "precision": "fp32", "threads": 1}


def begun(out: Path, steps: int, **more: Any) -> Job[Any]:
    """A run after so many steps."""
    job = train(TrainConfig.make("mlpgan", "digits", **{**RUN, "width": 8, "out": out, **more}))
    for progress in job:
        if "kimg" in progress.words and progress.done * 20 >= steps:
            return job
    raise AssertionError("it ended before")


def test_a_stopped_run_is_loaded_by_its_best_or_its_newest_checkpoint(tmp_path: Path) -> None:
    begun(tmp_path, 3).close()
    averaged = load(tmp_path)
    saved = newest(tmp_path / "checkpoints")
    assert all(torch.equal(t, saved.tensors[f"ema.{name}"]) for name, t in averaged.state_dict().items())
    assert averaged.card["classes"] == [str(digit) for digit in range(10)]
    assert "doctor" not in averaged.card
    newest_file = checkpoints_in(tmp_path / "checkpoints")[-1]
    newest_file.write_bytes(newest_file.read_bytes()[:1000])
    assert load(tmp_path).family == "mlpgan"
    finish(resume(tmp_path, budget="160pictures"))
    best = load_tensors(tmp_path / "best.safetensors")[1]
    (tmp_path / "model.safetensors").unlink()
    assert all(torch.equal(t, best[name]) for name, t in load(tmp_path).state_dict().items())


def test_a_folder_without_any_weights_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(ModelFileError, match="no such weights"):
        load(tmp_path)


@pytest.mark.parametrize("what", ["model", "ema", "optimiser"])
def test_what_broke_just_before_a_stop_is_not_written(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Kit.advance

    def breaking(self: Kit, position: Any) -> None:
        advance(self, position)
        if position.step == 9:
            adam = self.stepper.optimisers["painter"][0]
            first = next(iter(self.model.painter.parameters()))
            victims = {
                "model": first,
                "ema": next(iter(self.ema.model.painter.parameters())),
                "optimiser": adam.state[first]["exp_avg"],
            }
            victims[what].detach().view(-1)[0] = float("nan")

    whole = finish(train(TrainConfig.make("mlpgan", "digits", **{**RUN, "width": 8, "out": tmp_path / "whole"})))
    monkeypatch.setattr(Kit, "advance", breaking)
    begun(tmp_path / "run", 9).close()
    monkeypatch.undo()
    assert newest(tmp_path / "run" / "checkpoints").card["step"] == 7
    stopped = finish(resume(tmp_path / "run"))
    one, two = load_tensors(whole.model)[1], load_tensors(stopped.model)[1]
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_breaks_in_the_last_step_is_healed_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advance, broken = Kit.advance, []

    def breaking(self: Kit, position: Any) -> None:
        advance(self, position)
        if position.step == 20 and not broken:
            broken.append(position.step)
            next(iter(self.model.painter.parameters())).detach().view(-1)[0] = float("nan")

    monkeypatch.setattr(Kit, "advance", breaking)
    config = TrainConfig.make("mlpgan", "digits", **{**RUN, "every": "9%", "width": 8, "out": tmp_path})
    assert load(finish(train(config)).model).family == "mlpgan"
    assert broken
    assert "non-finite" in (tmp_path / "log.jsonl").read_text()


def test_a_broken_checkpoint_of_before_is_passed_over(tmp_path: Path) -> None:
    begun(tmp_path, 9).close()
    older, last = checkpoints_in(tmp_path / "checkpoints")
    card, tensors = load_tensors(last)
    name = next(name for name in tensors if name.startswith("model.painter"))
    save_tensors({**tensors, name: tensors[name] * float("nan")}, last, card)
    assert newest(tmp_path / "checkpoints").card["step"] == int(older.stem)
    assert finish(resume(tmp_path)).model.exists()

"""A run that the doctor treats: where it goes back to, what changes, what is told, and that it resumes bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.learned.weights import load_tensors, save_tensors
from danqing.core.progress import Job, Progress, finish
from danqing.training.alarms import critic_wins
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.record import read_log, standing
from danqing.training.state import checkpoints_in, newest

RUN: dict[str, Any] = {
    "budget": "1600pictures", "every": "320pictures", "batch": 16, "precision": "fp32", "threads": 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _easily_alarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A critic wins in this file when it tells two pairs of three apart for thirty steps, whatever the score."""
    monkeypatch.setattr(critic_wins, "SHARE", 0.66)
    monkeypatch.setattr(critic_wins, "PATIENCE", 30)
    monkeypatch.setattr(critic_wins, "NEAR", 0.0)


def config(out: Path, **changes: Any) -> TrainConfig:
    return TrainConfig.make("mlpgan", "digits", **{**RUN, "out": out, **changes})


def weights(file: Path) -> dict[str, torch.Tensor]:
    return load_tensors(file)[1]


def cures(run: Path) -> list[dict[str, Any]]:
    return [entry for entry in read_log(run / "log.jsonl") if "back_to" in entry]


def until(job: Job[Any], wanted: str) -> Job[Any]:
    """Run a job until it has news that hold these words."""
    for progress in job:
        if wanted in progress.news:
            return job
    raise AssertionError("it ended before")


def test_a_run_goes_back_changes_its_rules_and_says_so(tmp_path: Path) -> None:
    told: list[Progress] = []
    result = finish(train(config(tmp_path / "run")), told.append)
    run, found = result.folder, cures(result.folder)
    assert found
    first = found[0]
    assert (first["event"], first["changed"]["gamma"]) == ("critic-wins", pytest.approx(4 * 1.0))
    assert first["back_to"] < first["at_step"]
    news = [progress.news for progress in told if progress.news]
    assert all(first[part] in news[0] for part in ("words", "remedy"))
    assert f"Went back to step {first['back_to']:,}" in news[0]
    assert result.summary["findings"][0]["words"] == first["words"]
    assert result.summary["pictures_taken_back"] > 0
    spent = result.summary["pictures_seen"] + result.summary["pictures_taken_back"]
    assert 1600 <= spent < 1600 + 16, "what was taken back counts in the budget"
    assert first["words"] in (result.folder / "report.html").read_text("utf-8")
    log = list(read_log(run / "log.jsonl"))
    looks = [entry["step"] for entry in standing(log) if "scores" in entry]
    assert looks == sorted(set(looks)), "a look that was taken back is none"
    assert len(looks) < len([entry for entry in log if "scores" in entry])
    assert [int(file.stem) for file in sorted((run / "grids").iterdir())] == looks


def test_it_resumes_bit_for_bit_through_treatments(tmp_path: Path) -> None:
    whole = finish(train(config(tmp_path / "whole")))
    job = until(train(config(tmp_path / "stopped")), "Went back")
    next(job)
    job.close()
    assert newest(tmp_path / "stopped" / "checkpoints").card["doctor"]["cures"] == 1
    stopped = finish(resume(tmp_path / "stopped"))
    first, second = weights(whole.model), weights(stopped.model)
    assert all(torch.equal(first[name], second[name]) for name in first)
    steps = [[each["at_step"] for each in cures(run.folder)] for run in (whole, stopped)]
    assert steps[0] == steps[1]


def test_a_run_that_is_killed_right_after_a_treatment_keeps_it(tmp_path: Path) -> None:
    until(train(config(tmp_path)), "Went back")  # nothing is closed: as if its process had ended here
    assert newest(tmp_path / "checkpoints").card["doctor"]["cures"] == 1


def test_a_doctor_who_watches_changes_nothing(tmp_path: Path) -> None:
    watched = finish(train(config(tmp_path / "watched", doctor="watch")))
    assert cures(watched.folder) == []
    assert "critic-wins" in watched.summary["alarms"]
    assert watched.summary["pictures_seen"] == 1600


def test_a_run_of_an_earlier_danqing_is_treated(tmp_path: Path) -> None:
    """Its checkpoints do not say where nothing was amiss, and the first is long forgotten."""
    job = train(config(tmp_path))
    next(each for each in job if "kimg" in each.words and each.done >= 0.25)
    job.close()
    first, *others = checkpoints_in(tmp_path / "checkpoints")
    for file in others:
        card, tensors = load_tensors(file)
        save_tensors(tensors, file, {name: value for name, value in card.items() if name != "good"})
    first.unlink()
    finish(resume(tmp_path))
    assert cures(tmp_path)[0]["back_to"] > 0

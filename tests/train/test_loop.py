"""The loop on real digits: exact resume, rollback, alarms, folders; small enough for seconds."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import danqing
from danqing.core.errors import ModelFileError, OutputError, ParameterError, TrainingFailed, UserError
from danqing.core.learned.card import read_card
from danqing.core.learned.weights import load, load_tensors
from danqing.core.progress import Job, finish
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.record import read_log
from danqing.training.step import Stepper
from tests.train.sets import LABELLED, set_for

BRIEF = {"budget": "48pictures", "every": "24pictures", "batch": 8}
SMALL: dict[str, Any] = {
    "mlpgan": {},
    "dcgan": {"width": 8},
    "vae": {},
    "stylegan": {"width": 4, "critic_width": 4},
    "flow": {"width": 16},
    "codec": {"width": 16, "perceptual": 0.0},
    "pix2pix": {"width": 16, "critic_width": 4, "size": 16},
    "cyclegan": {"width": 16, "critic_width": 4, "size": 16},
    "classifier": {"augment": "rotate=10,crop=0.1"},
    "restorer": {"net": "tiny", "patch": 24},
    "noisemeter": {"width": 8, "patch": 24},
    "stylist": {"net": "tiny", "batch": 4, "budget": "120pictures", "every": "40pictures"},
    "marker": {"patch": 24},
    "stainmeter": {"patch": 24},
    "fademeter": {"width": 8, "patch": 24},
    **{name: {"backbone": "mobilenet", "size": 32, **BRIEF} for name in LABELLED},
}
RUN: dict[str, Any] = {"budget": "480pictures", "every": "160pictures", "batch": 16, "precision": "fp32", "threads": 1}


def config(family: str, out: Path, **changes: Any) -> TrainConfig:
    data = set_for(family, out.parent / "set")
    return TrainConfig.make(family, data, **{**RUN, **SMALL[family], "out": out, **changes})


def weights(file: Path) -> dict[str, torch.Tensor]:
    return load_tensors(file)[1]


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def stopped_at(job: Job[Any], share: float) -> Job[Any]:
    """Run a job until it has trained for that share of its budget; reading pictures comes first, with its own count."""
    for progress in job:
        if "kimg" in progress.words and progress.done > share:
            return job
    raise AssertionError("it ended before")


def last_checkpoint(run: Path) -> Path:
    return max((run / "checkpoints").glob("*.safetensors"))


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize(
    "family",
    [each if each in ("dcgan", "vae", "noisemeter") else pytest.param(each, marks=pytest.mark.slow) for each in SMALL],
)  # each family resumes in bf16 in a test of its own
def test_stop_and_resume_is_bit_for_bit(family: str, tmp_path: Path) -> None:
    short = {} if "budget" in SMALL[family] else {"budget": "320pictures"}
    whole = finish(train(config(family, tmp_path / "whole", **short)))
    stopped_at(train(config(family, tmp_path / "stopped", **short)), 0.7).close()  # between two looks
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    stopped = finish(resume(tmp_path / "stopped"))
    assert same(weights(whole.model), weights(stopped.model))
    assert same(weights(last_checkpoint(whole.folder)), weights(last_checkpoint(stopped.folder)))
    steps = [entry["step"] for entry in read_log(whole.folder / "log.jsonl")]
    assert steps == sorted(steps)


def test_kill_9_loses_nothing_but_time(tmp_path: Path) -> None:
    whole = finish(train(config("dcgan", tmp_path / "whole", budget="800pictures")))
    file = tmp_path / "run.json"
    file.write_text(json.dumps(config("dcgan", tmp_path / "killed", budget="800pictures").to_json()))
    child = subprocess.Popen(
        [sys.executable, "-m", "danqing", "train", "--config", str(file), "--quiet"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    checkpoints = tmp_path / "killed" / "checkpoints"
    while not any(file.stem >= f"{20:09}" for file in checkpoints.glob("*.safetensors")):  # only the last are kept
        assert child.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    resumed = finish(resume(tmp_path / "killed"))
    assert same(weights(whole.model), weights(resumed.model))


def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(tmp_path: Path) -> None:
    whole = finish(train(config("mlpgan", tmp_path / "whole")))
    stopped_at(train(config("mlpgan", tmp_path / "stopped")), 0.8).close()
    newest = last_checkpoint(tmp_path / "stopped")
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    assert same(weights(whole.model), weights(finish(resume(tmp_path / "stopped")).model))


def test_the_run_folder_tells_the_whole_story(tmp_path: Path) -> None:
    result = danqing.train("dcgan", "digits", **RUN, **SMALL["dcgan"], out=tmp_path / "run", tensorboard=True)
    run = result.folder
    for part in ("config.json", "log.jsonl", "curves.png", "model.safetensors", "best.safetensors", "card.json"):
        assert (run / part).stat().st_size > 0, part
    assert [grid.stem for grid in sorted((run / "grids").glob("*.png"))] == [f"{step:09}" for step in (0, 10, 20, 30)]
    assert len(list((run / "checkpoints").glob("*.safetensors"))) == 2
    assert list((run / "tensorboard").glob("events*"))
    card = read_card(result.model)
    assert card["training"]["seed"] == 0
    assert card["training"]["pictures_seen"] == 480
    assert card["data"]["sha256"]
    assert "sketch_distance" in card["scores"]
    entries = list(read_log(run / "log.jsonl"))
    assert {"critic", "painter"} <= entries[-1]["losses"].keys()
    again = TrainConfig.from_json(run / "config.json", out=tmp_path / "again")
    assert same(weights(result.model), weights(finish(train(again)).model))


def test_the_page_of_a_painter_that_has_only_begun_says_so_first(tmp_path: Path) -> None:
    short = {**RUN, "budget": "16pictures"}
    pages = {
        size: danqing.train("dcgan", "digits", **short, width=4, critic_width=4, size=size, out=tmp_path / str(size))
        for size in (28, 64)
    }
    early = [(run.folder / "report.html").read_text("utf-8").count("That is early") for run in pages.values()]
    assert early == [0, 1]


def test_a_seed_fixes_the_weights_and_another_changes_them(tmp_path: Path) -> None:
    first, second, other = (
        finish(train(config("mlpgan", tmp_path / name, seed=seed))).model
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(other))


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    job = stopped_at(train(config("mlpgan", tmp_path)), 0)
    with pytest.raises(OutputError, match="another run is writing"):
        finish(resume(tmp_path))
    finish(job)
    with pytest.raises(OutputError, match="--resume"):
        finish(train(config("mlpgan", tmp_path)))
    finish(train(config("mlpgan", tmp_path), force=True))


def test_a_rate_far_too_high_is_healed_or_given_up_with_advice(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="Lower --lr"):
        finish(train(config("classifier", tmp_path, lr=1e9)))
    events = [entry["event"] for entry in read_log(tmp_path / "log.jsonl") if "event" in entry]
    assert events == ["non-finite"] * 4
    assert all(t.isfinite().all() for t in weights(last_checkpoint(tmp_path)).values() if t.is_floating_point())


def test_after_going_back_the_log_forgets_the_steps_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(1000))
    broken = 15  # between two looks
    monkeypatch.setattr(Stepper, "step", lambda *_: {"loss": math.nan if next(calls) == broken else 1.0})
    finish(train(config("mlpgan", tmp_path)))
    entries = list(read_log(tmp_path / "log.jsonl"))
    assert "non-finite" in [entry.get("event") for entry in entries]
    assert {entry["losses"]["loss"] for entry in entries if "losses" in entry} == {1.0}


def test_a_full_disk_keeps_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = stopped_at(train(config("mlpgan", tmp_path)), 0.4)
    before = weights(last_checkpoint(tmp_path))
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OutputError):
            finish(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert same(before, weights(last_checkpoint(tmp_path)))
    assert finish(resume(tmp_path)).model.exists()


def test_one_picture_raises_the_alarm_and_healthy_runs_stay_silent(tmp_path: Path) -> None:
    pictures = tmp_path / "one"
    pictures.mkdir()
    danqing.write(torch.rand(1, 1, 28, 28), pictures / "only.png")
    run = TrainConfig.make("dcgan", str(pictures), **{**RUN, "size": 28, "width": 8, "out": tmp_path / "run"})
    finish(train(run))
    events = [entry["event"] for entry in read_log(tmp_path / "run" / "log.jsonl") if "event" in entry]
    assert "no-variety" in events
    finish(train(config("dcgan", tmp_path / "healthy")))
    assert not [entry for entry in read_log(tmp_path / "healthy" / "log.jsonl") if "event" in entry]


def test_resume_of_a_longer_budget_goes_on(tmp_path: Path) -> None:
    finish(train(config("mlpgan", tmp_path)))
    longer = finish(resume(tmp_path, budget="640pictures"))
    assert longer.summary["pictures_seen"] == 640
    assert load(tmp_path).config["channels"] == 1


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"budget": "0s"}, ParameterError, "budget"),
        ({"lr": -1.0}, ParameterError, "lr"),
        ({"batch": 0}, ParameterError, "batch"),
        ({"wings": 2}, ParameterError, "wings"),
        ({"size": 33}, ParameterError, "size"),
        ({"augment": "melt"}, UserError, "melt"),
        ({"precision": "fp8"}, ParameterError, "precision"),
    ],
)
def test_bad_values_are_refused_before_anything_is_written(
    changes: dict[str, Any], error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        finish(train(config("dcgan", tmp_path / "run", **changes)))
    assert not (tmp_path / "run" / "config.json").exists()


def test_resume_needs_a_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run"):
        resume(tmp_path)
    stopped_at(train(config("mlpgan", tmp_path / "run")), 0).close()
    for file in (tmp_path / "run" / "checkpoints").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ModelFileError):
        finish(resume(tmp_path / "run"))

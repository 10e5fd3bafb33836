"""Two processes train as one with twice their share of the batch would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.learned.weights import load_tensors
from danqing.core.progress import finish
from danqing.train.config import TrainConfig
from danqing.train.loop import train
from danqing.train.record import read_log

RUN: dict[str, Any] = {
    "budget": "960pictures", "every": "320pictures", "batch": 32, "precision": "fp32", "threads": 1, "lr": 1e-3,
}  # fmt: skip
TOLERANCE = 1e-4  # the sums of a batch are taken in another order


def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=29617"]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, timeout=300, check=False)


def losses(run: Path) -> list[float]:
    return [entry["losses"]["loss"] for entry in read_log(run / "log.jsonl") if "losses" in entry]


def test_two_processes_have_the_loss_curve_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    family = {"net": "cnn", "norm": "none", "dropout": 0.0}  # without batch statistics, without its own randomness
    alone = TrainConfig.make("classifier", "digits", **RUN, **family, out=tmp_path / "alone")
    finish(train(alone))
    file = tmp_path / "run.json"
    file.write_text(json.dumps({**alone.to_json(), "out": str(tmp_path / "pair")}))
    done = torchrun("-m", "danqing", "train", "--config", str(file), "--quiet")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((tmp_path / "pair" / "card.json").read_text())["training"]["processes"] == 2
    one, two = (
        load_tensors(tmp_path / "alone/model.safetensors")[1],
        load_tensors(tmp_path / "pair/model.safetensors")[1],
    )
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=TOLERANCE, rtol=TOLERANCE)
    first, second = losses(tmp_path / "alone")[-1], losses(tmp_path / "pair")[-1]
    assert first == pytest.approx(second, rel=1e-3)

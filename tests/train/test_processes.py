"""Two processes train as one with twice their share of the batch would."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import one_step
import pytest
import torch
from safetensors.torch import load_file

from danqing.core.progress import finish
from danqing.training.config import TrainConfig
from danqing.training.loop import train
from danqing.training.record import read_log

RUN: dict[str, Any] = {
    "budget": "960pictures", "every": "96pictures", "batch": 32, "precision": "fp32", "threads": 1, "lr": 1e-3,
}  # fmt: skip


def on_two(*words: str) -> None:
    """Run something on two processes, which meet at a free port."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *words]
    paths = os.pathsep.join(sys.path)
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr  # the cause stands first, the launcher's own words fill the end


def losses(run: Path) -> list[float]:
    return [entry["losses"]["loss"] for entry in read_log(run / "log.jsonl") if "losses" in entry]


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    """Adam makes a whole step of a gradient that is rounding alone: there, weights differ by the rate at every step.

    The loss hardly depends on such weights. Still its rounding, of 1e-7, grows from step to step, a thousandfold in 30;
    it is not to reach a fiftieth of what is learned in them. What is exact is asked below.
    """
    family = {"net": "cnn", "norm": "none", "dropout": 0.0}  # without batch statistics, without its own randomness
    alone = TrainConfig.make("classifier", "digits", **RUN, **family, out=tmp_path / "alone")
    finish(train(alone))
    file = tmp_path / "run.json"
    file.write_text(json.dumps({**alone.to_json(), "out": str(tmp_path / "pair")}))
    on_two("-m", "danqing", "train", "--config", str(file), "--quiet")
    assert json.loads((tmp_path / "pair" / "card.json").read_text())["training"]["processes"] == 2
    first, second = losses(tmp_path / "alone"), losses(tmp_path / "pair")
    fallen = first[0] - first[-1]
    assert fallen > 0.1
    assert second == pytest.approx(first, rel=0, abs=0.02 * fallen)


def test_two_processes_average_their_gradients(tmp_path: Path) -> None:
    """Sums in another order differ by rounding: in float64 by 1e-16 of their terms, of which there are thousands."""
    one_step.main(tmp_path / "one.safetensors")
    on_two(one_step.__file__, str(tmp_path / "two.safetensors"))
    one, two = (load_file(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    for name, weight in one.items():
        assert weight.dtype == torch.float64
        torch.testing.assert_close(two[name], weight, rtol=0, atol=1e-12)

"""What a stage computes with, where several processes share a batch."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from danqing.core.progress import finish
from danqing.training.adaptive import EVERY, WHOLE, Adaptive
from danqing.training.build import new_model
from danqing.training.config import TrainConfig
from danqing.training.kit import Kit
from danqing.training.setup import gather_pictures
from danqing.training.state import Position
from danqing.training.training import Training

RUN: dict[str, Any] = {"batch": 32, "precision": "fp32", "threads": 1, "width": 8, "critic_augment": "adaptive"}


class Two:
    """The first of two processes, the other of which sends the same."""

    world_size, global_rank, device = 2, 0, "cpu"

    def broadcast(self, value: Any) -> Any:
        return value

    def all_reduce(self, value: Any, reduce_op: str) -> Any:
        return value


def test_the_chance_of_augmentation_turns_by_the_pictures_of_all_processes(tmp_path: Path) -> None:
    config = TrainConfig.make("mlpgan", "digits", **RUN, out=tmp_path)
    supplies = finish(gather_pictures(config))
    kit = Kit(config, new_model(config, supplies.train), supplies, Two())
    assert (kit.batch, kit.together) == (16, 32)
    training = Training(config, kit, [supplies], tmp_path, Position(adaptive=Adaptive(chance=0.3)))
    training.started = 0.0
    batches, chances = kit.batches(training.position), [0.3]
    for _ in range(8 * EVERY):
        training._step(next(batches), 0.0)
        chances.append(training.position.adaptive.chance)
    turns = {round(abs(after - before) * WHOLE) for before, after in pairwise(chances)}
    assert turns == {0, EVERY * 32}

"""What a stage computes with, where several processes share a batch."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from danqing.core.notes import noted
from danqing.core.pictures.contract import Images
from danqing.core.progress import finish
from danqing.maths.sketch import diversity, sketch_distance, sketch_features
from danqing.maths.tints import spread_of_tints
from danqing.training.adaptive import EVERY, WHOLE, Adaptive
from danqing.training.build import new_model
from danqing.training.config import TrainConfig
from danqing.training.kit import Kit
from danqing.training.score import score
from danqing.training.setup import ENOUGH, gather_pictures
from danqing.training.state import Position
from danqing.training.training import Training
from tests.train.sets import set_for

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


def kit_for(family: str, data: Path | str, **given: Any) -> Kit:
    config = TrainConfig.make(family, str(data), **{"batch": 4, "precision": "fp32", "threads": 1, **given})
    supplies = finish(gather_pictures(config))
    return Kit(config, new_model(config, supplies.train), supplies, Two())


def sides(folder: Path, held_out: int) -> Path:
    """Twenty pictures to learn from, and some held out that are all alike: a narrow painter's delight."""
    for at in range(20 + held_out):
        held = at >= 20
        file = folder / ("test" if held else "train") / f"{at}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(at).integers(0, 256, (8, 8, 3)) if not held else np.full((8, 8, 3), 120 + at)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    return folder


@pytest.mark.parametrize(("held_out", "told"), [(ENOUGH - 1, True), (ENOUGH, False)])
def test_what_is_painted_is_compared_with_pictures_that_stand_for_all(
    held_out: int, told: bool, tmp_path: Path
) -> None:
    notes: list[str] = []
    with noted(notes):
        kit = kit_for("mlpgan", sides(tmp_path, held_out), size=8, width=8)
    assert any("too few to stand for all" in each for each in notes) == told
    learned = sketch_features(kit.supplies.train.take(range(20)).x)  # type: ignore[union-attr]
    assert (diversity(kit.real) > 0.5 * diversity(learned)) == told
    assert score(kit.ema.model, kit.held_out, None, kit.scored_by, 0)["sketch_distance"] > 0
    assert len(kit.apart.x) % held_out == 0, "a critic is still asked about those held out"
    real = kit.originals.flatten(1).std(1) > 0.1
    assert bool(real.all()) == told


def test_real_pictures_lie_nearer_than_poor_ones_to_what_stands_for_all(astronaut: Images, chelsea: Images) -> None:
    """Of fewer than are enough, pictures of half the contrast are often nearer than others of the same kind."""
    parts = [each.unfold(2, 64, 64).unfold(3, 64, 64).flatten(2, 3)[0].transpose(0, 1) for each in (astronaut, chelsea)]
    x = torch.cat(parts)
    poor = sketch_features(x.mean(0) + (x - x.mean(0)) * 0.5)
    real = sketch_features(x)
    nearer = {}
    for few in (4, ENOUGH):
        orders = [torch.randperm(len(x), generator=torch.Generator().manual_seed(at)) for at in range(10)]
        held, rest = [real[each[:few]] for each in orders], [each[few:] for each in orders]
        gaps = [(sketch_distance(poor[a], b), sketch_distance(real[a], b)) for a, b in zip(rest, held, strict=True)]
        nearer[few] = sum(of_poor < of_real for of_poor, of_real in gaps)
    assert nearer[ENOUGH] < 3 <= nearer[4]


def test_translations_are_compared_with_what_they_should_become(tmp_path: Path) -> None:
    for at in range(40):
        for part, channels in (("input", 3), ("target", 1)):
            file = tmp_path / part / f"{at}.png"
            file.parent.mkdir(exist_ok=True)
            pixels = np.random.default_rng(at).integers(0, 256, (16, 16, channels)).repeat(3 // channels, 2)
            Image.fromarray(pixels.astype(np.uint8)).save(file)
    kit = kit_for("pix2pix", tmp_path, size=16, channels="colour")
    assert kit.held_out.pair is not None
    assert torch.equal(kit.originals, kit.held_out.pair[: len(kit.originals)])
    assert spread_of_tints(kit.originals) < 1e-3 < spread_of_tints(kit.held_out.x)


def test_a_cyclegan_is_scored_on_pictures_painted_as_the_other_set(tmp_path: Path) -> None:
    kit = kit_for("cyclegan", set_for("cyclegan", tmp_path), size=16, width=16, critic_width=4)
    assert kit.held_out.y is not None
    assert kit.asked is not None
    assert torch.equal(kit.asked, kit.held_out.y)

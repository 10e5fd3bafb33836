"""Runs that begin with weights learned before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from skimage import data as pictures

import danqing
from danqing.core.errors import ModelFileError
from danqing.core.learned.card import read_card
from danqing.core.learned.weights import load, load_tensors
from danqing.core.pictures.contract import from_uint8
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.data.store import pack
from danqing.training.config import TrainConfig
from danqing.training.loop import train

pytestmark = pytest.mark.usefixtures("quick_looks")

RUN: dict[str, Any] = {"budget": "64pictures", "batch": 16, "precision": "fp32", "threads": 1}
NEXT_TO_NOTHING = 1e-30  # a rate by which no weight moves


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("astronaut", "coffee", "chelsea"):
        write(from_uint8(getattr(pictures, name)()[None, :150, :200]), tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


@pytest.fixture
def taught(photos: Path, tmp_path: Path) -> Path:
    values = {**RUN, "task": "deblur", "net": "tiny", "patch": 48, "size": 64, "out": tmp_path / "first"}
    return finish(train(TrainConfig.make("restorer", str(photos), **values))).model


def test_a_run_begins_with_the_weights_and_parameters_of_another(photos: Path, taught: Path, tmp_path: Path) -> None:
    values = {
        **RUN,
        "lr": NEXT_TO_NOTHING,
        "size": 64,
        "task": "dejpeg",
        "from_": str(taught),
        "out": tmp_path / "second",
    }
    second = finish(train(TrainConfig.make("restorer", str(photos), **values))).model
    assert load(second).config == {"size": 64, "task": "dejpeg", "net": "tiny", "patch": 48, "mixed": False}
    before, after = load_tensors(taught)[1], load_tensors(second)[1]
    assert all(torch.equal(before[name], after[name]) for name in before), (
        "a rate next to nothing keeps what was taken over"
    )
    assert read_card(second)["training"]["from_"] == str(taught)


def test_what_does_not_fit_is_learned_anew(tmp_path: Path) -> None:
    first = danqing.train("mlpgan", "digits", **RUN, conditional=False, out=tmp_path / "first").model
    values = {**RUN, "lr": NEXT_TO_NOTHING, "ema": 0.0, "width": 32, "from_": str(first), "out": tmp_path / "second"}
    second = danqing.train("mlpgan", "digits", **values, conditional=False).model
    old, new = load_tensors(first)[1], load_tensors(second)[1]
    same = {name for name in old if old[name].shape == new[name].shape} - {"played"}  # a counter
    assert set() < same < set(old)
    assert all(torch.equal(old[name], new[name]) for name in same)


def test_weights_of_another_family_or_none_are_refused(taught: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is a restorer, not a dcgan"):
        TrainConfig.make("dcgan", "digits", from_=str(taught))
    with pytest.raises(ModelFileError, match="no such weights"):
        TrainConfig.make("restorer", "digits", from_=str(tmp_path / "nothing"))


def test_a_restorer_learns_from_tiles(photos: Path, taught: Path) -> None:
    facts = read_card(taught)["data"]
    assert facts["fit"] == "tiles"
    tiles = [finish(pack(photos, size=64, fit="tiles", split=split)) for split in ("train", "test")]
    assert facts["count"] == len(tiles[0])
    assert len(tiles[0]) + len(tiles[1]) == 3 * 2 * 3

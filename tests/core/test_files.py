"""Weights files keep what they were given, refuse what they cannot trust, and are never half written."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from danqing import __version__
from danqing.core.disk import hash_of
from danqing.core.errors import ModelFileError
from danqing.core.learned.card import FORMAT, bundled, locate, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model, Painter, Recogniser
from danqing.core.learned.weights import load, load_tensors, save
from danqing.models.classifier import Classifier


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    return Classifier(16, 1, 3, width=4, dim=8)


def refusal(file: Path, **options: Any) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        load(file, **options)
    assert caught.value.exit_code == 2
    return caught.value


def with_header(file: Path, card: Any) -> Path:
    text = card if isinstance(card, str) else json.dumps(card)
    save_file({"x": torch.zeros(2)}, file, metadata={"danqing": text})
    return file


def test_saved_and_loaded_it_predicts_the_same(model: Model, tmp_path: Path) -> None:
    back = load(save(model, tmp_path / "m.safetensors", note="熊猫", scores={"accuracy": 0.5}))
    x = torch.rand(2, 1, 16, 16)
    assert isinstance(back, Classifier)
    assert not back.training
    assert torch.equal(back.predict(x), model.eval().predict(x))  # type: ignore[operator]
    assert back.config == model.config
    assert (back.card["note"], back.card["scores"], back.card["family"]) == ("熊猫", {"accuracy": 0.5}, "classifier")
    assert (back.card["format"], back.card["danqing"]) == (FORMAT, __version__)
    assert back.card["sha256"] == hash_of(tmp_path / "m.safetensors")


def test_the_same_model_gives_the_same_bytes(model: Model, tmp_path: Path) -> None:
    assert save(model, tmp_path / "a.safetensors").read_bytes() == save(model, tmp_path / "b.safetensors").read_bytes()


def test_saving_again_keeps_the_card_but_not_where_it_lay(model: Model, tmp_path: Path) -> None:
    first = save(model, tmp_path / "a.safetensors", note="kept")
    old = load(first)
    old.card["danqing"] = "0.0.1"  # as if an older danqing had written it
    card = read_card(save(old, tmp_path / "b.safetensors", more=1))
    assert (card["note"], card["more"], card["danqing"]) == ("kept", 1, __version__)
    assert not {"file", "sha256"} & card.keys()


def test_tensors_of_every_type_and_layout_come_back(tmp_path: Path) -> None:
    from danqing.core.learned.weights import save_tensors

    tensors = {
        "channels last": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "half": torch.rand(3).bfloat16(),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
        "strided": torch.arange(10)[::2],
    }
    card, back = load_tensors(save_tensors(tensors, tmp_path / "t.safetensors", {"kind": "state"}))
    assert card["kind"] == "state"
    assert all(torch.equal(back[name], tensor) and back[name].dtype == tensor.dtype for name, tensor in tensors.items())


def test_a_model_is_passed_through_and_its_kind_checked(model: Model, tmp_path: Path) -> None:
    file = save(model, tmp_path / "m.safetensors")
    assert load(model) is model
    assert load(file, kind=Recogniser).family == load(file, kind=type(model)).family == "classifier"
    for kind, words in ((Painter, "generator"), (family_named("dcgan"), "dcgan")):
        assert f"is a classifier, not a {words}" in refusal(file, kind=kind).what


def test_a_run_folder_means_its_model(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "run" / "model.safetensors")
    assert load(tmp_path / "run").family == "classifier"
    assert "no such" in refusal(tmp_path).what
    assert refusal(tmp_path).what == "no such weights file in this folder", "it is there: what lacks are weights"
    assert "run folder" in (refusal(tmp_path).remedy or "")


def test_bundled_weights_are_found_by_name_and_load() -> None:
    for name, file in bundled().items():
        assert locate(name) == file
        assert read_card(file)["format"] <= FORMAT


def test_a_file_cut_anywhere_is_refused(model: Model, tmp_path: Path) -> None:
    file = save(model, tmp_path / "m.safetensors")
    data = file.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:length])
        assert "damaged" in refusal(file).what


def test_a_pickle_under_another_name_is_never_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    file = tmp_path / "m.safetensors"
    for protocol in range(2, 6):
        file.write_bytes(pickle.dumps(Bomb(), protocol))
        assert "pickle" in refusal(file).what
    torch.save({"a": Bomb()}, file)
    assert "pickle" in refusal(file).what
    torch.save({"a": Bomb()}, file, _use_new_zipfile_serialization=False)
    assert "pickle" in refusal(file).what
    assert not (tmp_path / "exploded").exists()


def test_a_newer_file_is_refused_with_its_version(tmp_path: Path) -> None:
    card = {"format": FORMAT + 1, "danqing": "9.9.9", "family": "classifier", "config": {}}
    error = refusal(with_header(tmp_path / "m.safetensors", card))
    assert "9.9.9" in error.what
    assert error.remedy == "Update danqing"


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("{", "damaged card"),
        ("3", "not danqing's"),
        ({}, "not danqing's"),
        ({"format": "new"}, "not danqing's"),
        ({"format": 1, "classes": 5}, "damaged card (what it says of classes makes no sense)"),
        ({"format": 1, "classes": "abc"}, "damaged card"),
        ({"format": 1, "training": "long"}, "damaged card"),
        ({"format": 1, "data": ["digits"]}, "damaged card"),
        ({"format": 1, "scores": 0.5}, "damaged card"),
        ({"format": 1, "lineage": {}}, "damaged card"),
        ({"format": 1, "family": "teapot", "config": {}}, "unknown model family 'teapot'"),
        ({"format": 1, "family": ["classifier"], "config": {}}, "unknown model family"),
        ({"format": 1, "config": {}}, "unknown model family"),
        ({"format": 1, "family": "classifier"}, "do not fit"),
        ({"format": 1, "family": "classifier", "config": []}, "do not fit"),
        ({"format": 1, "family": "classifier", "config": {"size": 16, "channels": 1, "classes": 2}}, "do not fit"),
        ({"format": 1, "family": "classifier", "config": {"wings": 2}}, "do not fit"),
        ({"format": 1, "family": "classifier", "config": {"size": 7, "channels": 1, "classes": 2}}, ""),
    ],
)
def test_cards_that_make_no_sense_are_refused(tmp_path: Path, card: Any, reason: str) -> None:
    assert reason in refusal(with_header(tmp_path / "m.safetensors", card)).what


def test_foreign_and_missing_files(tmp_path: Path) -> None:
    file = tmp_path / "m.safetensors"
    assert refusal(file).what == "no such weights file"
    save_file({"x": torch.zeros(2)}, file)
    assert "without danqing's card" in refusal(file).what
    file.write_text("These are words.")
    assert "not a safetensors file" in refusal(file).what
    file.write_bytes(struct.pack("<Q", 10**15) + b"{}")
    assert "damaged" in refusal(file).what
    with pytest.raises(ModelFileError):
        read_card(tmp_path)


def test_the_hash_follows_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert hash_of(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    file.write_bytes(b"abcd")
    assert hash_of(file) == "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589"


# --- replacing ---


class Interrupted(Exception):
    """Something goes wrong while a file is being written."""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_leaves_the_old_file(model: Model, tmp_path: Path) -> None:
    """A process that may write no file above 4 kB: what a full disk looks like to it."""
    file = save(model, tmp_path / "m.safetensors")
    before = file.read_bytes()
    code = f"""
import resource, signal
from danqing.core.learned.weights import load, save
from danqing.core.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
model = load({str(file)!r})
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    save(model, {str(file)!r}, note="newer")
except OutputError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be written" in out.stdout
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]

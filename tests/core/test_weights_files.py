"""Weights that cannot be what they say, and the one cache of those that can."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ModelFileError
from danqing.core.learned import cache
from danqing.core.learned.cache import cached
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model, Painter, Restorer
from danqing.core.learned.weights import load, load_tensors, save, save_tensors


def small() -> Model:
    return family_named("mlpgan")(size=8, width=4, latents=4)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save(small(), tmp_path / "small.safetensors")


def rewritten(file: Path, name: str, change: object) -> Path:
    card, tensors = load_tensors(file)
    assert callable(change)
    return save_tensors({**tensors, name: change(tensors[name])}, file.with_name("other.safetensors"), card)


def broken(value: float) -> object:
    def put(tensor: Tensor) -> Tensor:
        tensor.view(-1)[-1] = value
        return tensor

    return put


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_broken_value_is_named_with_its_tensor_and_file(file: Path, value: float) -> None:
    other = rewritten(file, "painter.layers.0.bias", broken(value))
    with pytest.raises(ModelFileError, match=r"other\.safetensors.*painter\.layers\.0\.bias") as caught:
        load(other)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("painter.layers.0.weight", torch.int8),
        ("painter.layers.0.weight", torch.int64),
        ("painter.layers.0.weight", torch.bool),
        ("played", torch.float32),
        ("played", torch.bool),
    ],
)
def test_a_type_that_does_not_fit_is_refused_by_name(file: Path, name: str, kind: torch.dtype) -> None:
    other = rewritten(file, name, lambda tensor: tensor.to(kind))
    with pytest.raises(ModelFileError, match=f"{name} is {str(kind).removeprefix('torch.')}"):
        load(other)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_another_precision_of_the_same_numbers_fits(file: Path, kind: torch.dtype) -> None:
    name = "painter.layers.0.weight"
    taken = load(rewritten(file, name, lambda tensor: tensor.to(kind))).state_dict()[name]
    assert torch.equal(taken, load_tensors(file)[1][name].to(kind).float())


def test_a_model_is_loaded_once_and_by_one_thread(file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: cached(file, kind=Model), range(32)))
    assert all(model is models[0] for model in models)
    assert not models[0].training
    assert not any(parameter.requires_grad for parameter in models[0].parameters())


def test_what_is_to_be_trained_is_never_the_cached_one(file: Path) -> None:
    assert load(file) is not cached(file, kind=Model)
    assert all(parameter.requires_grad for parameter in load(file).parameters())


def test_a_replaced_file_is_read_anew_and_the_old_one_forgotten(file: Path) -> None:
    first = cached(file, kind=Model)
    save(small(), file)
    os.utime(file, ns=(0, 0))  # as old as can be: what counts is that it is another
    second = cached(file, kind=Model)
    assert second is not first
    assert cached(file, kind=Model) is second
    assert sum(slot.path == str(file.resolve()) for slot in cache._slots.values()) == 1


def test_a_file_written_over_in_its_place_is_read_anew(file: Path, tmp_path: Path) -> None:
    """cp -p of other weights: the same place on the disk, size and time, and other numbers."""
    os.utime(file, ns=(0, 0))
    first = cached(file, kind=Model)
    torch.manual_seed(1)
    other = save(small(), tmp_path / "other.safetensors")
    assert other.stat().st_size == file.stat().st_size
    file.write_bytes(other.read_bytes())
    os.utime(file, ns=(0, 0))
    assert cached(file, kind=Model).card["sha256"] != first.card["sha256"]


def test_links_are_one_file_that_is_read_once(file: Path) -> None:
    link = file.with_name("another name.safetensors")
    os.link(file, link)
    first, second = cached(file, kind=Model), cached(link, kind=Model)
    assert (first.card["file"], second.card["file"]) == (str(file), str(link))
    assert all(one is two for one, two in zip(first.parameters(), second.parameters(), strict=True))


def test_the_cache_is_bounded_and_forgets_the_longest_unused(file: Path) -> None:
    copies = [Path(shutil.copy(file, file.with_name(f"{n}.safetensors"))) for n in range(cache.KEPT)]
    first = cached(copies[0], kind=Model)
    for copy in copies[1:]:
        cached(copy, kind=Model)
        assert cached(copies[0], kind=Model) is first
    cached(file, kind=Model)
    assert len(cache._slots) == cache.KEPT
    assert cached(copies[0], kind=Model) is first


def test_the_cache_knows_kinds_and_passes_models_through(file: Path) -> None:
    model = small()
    assert cached(model, kind=Painter) is model
    with pytest.raises(ModelFileError, match="is a mlpgan, not a restorer"):
        cached(file, kind=Restorer)
    assert cached(file, kind=type(model)) is cached(file, kind=Model)

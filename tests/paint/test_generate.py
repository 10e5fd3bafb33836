"""Painting by number: the same picture for a seed and a place, whatever else is painted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.classes import class_number
from danqing.core.learned.weights import save
from danqing.core.progress import Progress, finish
from danqing.models.classifier import Classifier
from danqing.models.vae import VAE
from danqing.paint.generate import generate


@pytest.fixture(scope="module")
def conditional() -> VAE:
    torch.manual_seed(0)
    made = VAE(16, 3, classes=3, dim=6, width=4).eval()
    made.card["classes"] = ["cat", "2", "dog"]
    return made


@pytest.mark.parametrize("label", [None, "all", "dog"])
def test_a_picture_is_the_same_bit_for_bit_at_any_count(conditional: VAE, label: str | None) -> None:
    many = generate(conditional, count=40, seed=7, label=label)
    assert many.shape == (40, 3, 16, 16)
    for count in (1, 2, 15, 16, 17, 33):
        assert torch.equal(generate(conditional, count=count, seed=7, label=label), many[:count])


def test_seeds_and_places_give_different_pictures(model: VAE) -> None:
    pictures = torch.cat([generate(model, count=20, seed=seed) for seed in (0, 1, 2**63 - 1)]).flatten(1)
    assert float(torch.pdist(pictures).min()) > 1e-4


def test_the_global_generators_neither_matter_nor_move(model: VAE) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = generate(model, count=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert torch.equal(generate(model, count=3), first)


def test_labels_are_found_by_name_first_then_by_number(conditional: VAE) -> None:
    painted = {label: generate(conditional, count=3, label=label) for label in ("cat", "dog", "2", "0", "1")}
    assert torch.equal(painted["cat"], painted["0"])
    assert torch.equal(painted["2"], painted["1"])  # the class named 2 is number 1
    assert not torch.equal(painted["2"], painted["dog"])


def test_all_goes_through_the_classes_one_a_column(conditional: VAE) -> None:
    rows = generate(conditional, count=9, label="all").view(3, 3, 3, 16, 16)
    for column, name in enumerate(("cat", "2", "dog")):
        assert torch.equal(rows[:, column], generate(conditional, count=9, label=name)[column::3])


def test_without_a_label_classes_are_drawn_by_the_seed(conditional: VAE) -> None:
    painted = generate(conditional, count=30)
    each = torch.stack([generate(conditional, count=30, label=name) for name in ("cat", "2", "dog")])
    drawn = (each - painted).abs().flatten(2).sum(2).argmin(0)
    assert int(torch.bincount(drawn, minlength=3).min()) >= 3
    assert all(torch.equal(painted[at], each[int(label), at]) for at, label in enumerate(drawn))


def test_truncation_draws_pictures_together_until_they_are_one(model: VAE) -> None:
    spread = [
        float(generate(model, count=16, truncation=truncation).std(0).mean()) for truncation in (1.0, 0.5, 0.1, 0.0)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < 1e-6 < spread[-2]


@pytest.mark.parametrize("label", ["3", "-1", "bird", "", "all "])
def test_refuses_a_label_that_is_no_class(conditional: VAE, label: str) -> None:
    with pytest.raises(ParameterError, match="cat, 2, dog") as caught:
        generate(conditional, label=label)
    assert caught.value.where == "label"


def named(*names: str) -> VAE:
    torch.manual_seed(0)
    made = VAE(16, 3, classes=len(names), dim=6, width=4).eval()
    made.card["classes"] = list(names)
    return made


@pytest.mark.parametrize("names", [("1", "2", "3"), ("01", "02", "other"), ("-1", "0.5", "1"), ("2", "cat")])
def test_where_names_are_numbers_only_names_count(names: tuple[str, ...]) -> None:
    model = named(*names)
    assert [class_number(model, name) for name in names] == list(range(len(names)))
    for label in {"0", "1", "2"} - set(names):
        with pytest.raises(ParameterError, match=f"{', '.join(names)}$"):
            generate(model, label=label)


def test_digits_are_called_by_their_names_or_without_any() -> None:
    assert [class_number(named(*"0123456789"), each) for each in "0123456789"] == list(range(10))
    assert [class_number(named(*"3210"), each) for each in "0123"] == [3, 2, 1, 0]
    torch.manual_seed(0)
    assert class_number(VAE(16, 3, classes=3, dim=6, width=4), "2") == 2  # no card names them


@pytest.mark.parametrize("names", [("all", "cat"), ("7", "8", "all")])
def test_all_is_every_class_and_a_class_of_that_name_goes_by_its_number(names: tuple[str, ...]) -> None:
    model = named(*names)
    every = generate(model, count=6, label="all")
    for number, name in enumerate(names):
        label = str(number) if name == "all" else name
        assert torch.equal(every[number :: len(names)], generate(model, count=6, label=label)[number :: len(names)])


@pytest.mark.parametrize("label", ["0", "all"])
def test_refuses_a_label_for_an_unconditional_model(model: VAE, label: str) -> None:
    with pytest.raises(ParameterError, match="unconditional"):
        generate(model, label=label)


@pytest.mark.parametrize("given", [{"count": 0}, {"seed": -1}, {"seed": 2**63}, {"truncation": 1.1}, {"count": 1.5}])
def test_refuses_values_out_of_range(model: VAE, given: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        generate(model, **given)


def test_paints_from_a_file_but_only_with_a_painter(model: VAE, tmp_path: Path) -> None:
    save(model, tmp_path / "vae.safetensors")
    save(Classifier(16, 1, 2, width=4), tmp_path / "classifier.safetensors")
    assert torch.equal(generate(tmp_path / "vae.safetensors", count=2), generate(model, count=2))
    with pytest.raises(ModelFileError, match="classifier"):
        generate(tmp_path / "classifier.safetensors")
    with pytest.raises(ModelFileError, match="no such weights"):
        generate(tmp_path / "none.safetensors")


def test_reports_progress_and_can_be_cancelled(model: VAE) -> None:
    seen: list[Progress] = []
    finish(generate.job(model, count=40), seen.append)
    assert [(each.done, each.total) for each in seen] == [(16, 40), (32, 40), (40, 40)]
    assert seen[-1].preview is not None
    assert seen[-1].preview.shape == (8, 1, 16, 16)

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish(generate.job(model, count=4000), stop)

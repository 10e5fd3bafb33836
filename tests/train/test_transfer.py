"""What a run takes over from weights learned before, by name, shape and class; and what is told and kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.card import read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model
from danqing.core.learned.weights import load, load_tensors, save
from danqing.core.progress import finish
from danqing.training.config import TrainConfig
from danqing.training.freezing import freeze, rates_of
from danqing.training.loop import resume, train
from danqing.training.plan import plan
from danqing.training.step import Stepper
from danqing.training.transfer import begin_with
from tests.train.test_stages import same, stopped_at

RUN: dict[str, Any] = {"budget": "320pictures", "every": "100pictures", "batch": 16, "precision": "fp32", "threads": 1}


def made(family: str, seed: int = 0, **values: Any) -> Model:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Model = family_named(family)(**values)
    return model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A painter of three classes, its weights unlike those of a new one."""
    model = made("dcgan", seed=1, size=16, channels=1, classes=3, width=2, critic_width=2, latents=4)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.5)
    return save(model, tmp_path / "source.safetensors", classes=["ant", "bee", "cat"])


def target(**values: Any) -> Model:
    known = {"size": 16, "channels": 1, "classes": 3, "width": 2, "critic_width": 2, "latents": 4}
    return made("dcgan", **{**known, **values})


def test_rows_of_classes_go_by_their_names(source: Path) -> None:
    old, model = load_tensors(source)[1], target(classes=4)
    found = begin_with(model, str(source), ["dog", "cat", "ant", "elk"])
    assert (found.known, found.unknown) == (("cat", "ant"), ("dog", "elk"))
    new = model.state_dict()
    for name in ("painter.classes.weight", "critic.classes.weight", "critic.names.weight", "critic.names.bias"):
        assert name in found.by_class
        mean = old[name].mean(0)
        assert torch.equal(new[name], torch.stack([mean, old[name][2], old[name][0], mean])), name
    assert found.new == ()
    assert found.share == 1


def test_the_same_number_of_other_classes_is_not_taken_for_the_same(source: Path) -> None:
    old, model = load_tensors(source)[1], target()
    begin_with(model, str(source), ["cat", "bee", "dog"])
    table, was = model.state_dict()["painter.classes.weight"], old["painter.classes.weight"]
    assert torch.equal(table, torch.stack([was[2], was[1], was.mean(0)]))


def test_of_another_number_of_channels_all_but_first_and_last_layers_fit(source: Path) -> None:
    model = target(channels=3)
    with torch.random.fork_rng(devices=[]):
        found = begin_with(model, str(source), ["ant", "bee", "cat"])
    assert all(name.startswith(("painter.last", "critic.layers.0")) for name in found.new)
    assert len(found.new) >= 2
    assert ("channels", 1, 3) in found.differs
    assert any("channels was 1, is 3" in line for line in found.told())


def test_where_little_fits_it_says_what_would(tmp_path: Path) -> None:
    one = save(made("mlpgan", size=8, width=4, latents=3), tmp_path / "one.safetensors")
    with pytest.warns(UserWarning, match=r"Only \d+% of.*All would fit with --size 8 --latents 3 --width 4"):
        begin_with(made("mlpgan", size=9, width=5, latents=2), str(one))


def test_it_says_that_there_were_classes_and_are_none(source: Path) -> None:
    found = begin_with(target(classes=0), str(source))
    assert ("conditional", True, False) in found.differs
    assert any("conditional was True, is False" in line for line in found.told())


def test_weights_of_another_family_say_what_they_are_for(source: Path) -> None:
    with pytest.raises(ModelFileError, match=r"is a dcgan, not a mlpgan.*train dcgan.*--teacher"):
        TrainConfig.make("mlpgan", "digits", from_=str(source))
    with pytest.raises(ModelFileError, match=r"is a dcgan, not a restorer.*train dcgan$"):
        TrainConfig.make("restorer", "digits", from_=str(source))


def test_a_run_has_the_size_of_what_it_begins_with(source: Path) -> None:
    assert TrainConfig.make("dcgan", "digits", from_=str(source)).options.size == 16
    assert TrainConfig.make("dcgan", "digits", from_=str(source), size=32).options.size == 32


def test_rates_by_part_move_weights_as_much(source: Path) -> None:
    model = load(source).train()
    factors = rates_of(model, "critic=0.5, painter.layers:1=0")
    stepper = Stepper(model, model.optimiser, "fp32", factors=factors)
    lr = model.optimiser.lr  # type: ignore[union-attr]
    rates = {
        p: o.defaults["lr"] for each in stepper.optimisers.values() for o in each for p in o.param_groups[0]["params"]
    }
    assert rates.keys() == set(model.parameters())
    assert all(rates[p] == lr / 2 for p in model.critic.parameters())  # type: ignore[union-attr]
    still = [p for p in rates if rates[p] == 0]
    assert len(still) == len([p for p in factors if factors[p] == 0]) > 0
    assert {rates[p] for p in rates} == {lr, lr / 2, 0}


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ("wings=1", "no 'wings'.*painter"),
        ("critic", "not NAME=NUMBER"),
        ("critic=fast", "not NAME=NUMBER"),
        ("critic=-1", "not NAME=NUMBER"),
        ("critic=inf", "not NAME=NUMBER"),
        ("critic:99=1", "critic has"),
    ],
)
def test_rates_that_cannot_be_are_refused(rates: str, words: str, source: Path) -> None:
    with pytest.raises(ParameterError, match=words):
        rates_of(load(source), rates)


def test_the_mapping_of_a_style_painter_freezes_by_its_usual_name() -> None:
    model = made("stylegan", size=16, width=2, critic_width=2, latents=4, styles=4)
    assert freeze(model, "mapping") == set(model.painter.map.parameters())  # type: ignore[union-attr]
    with pytest.raises(ParameterError, match="Known: mapping"):
        freeze(model, "maping")


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    return finish(train(TrainConfig.make("mlpgan", "digits", **RUN, width=8, out=tmp_path / "first"))).model


def test_stop_and_resume_with_transfer_frozen_layers_and_rates_is_bit_for_bit(taught: Path, tmp_path: Path) -> None:
    values = {**RUN, "from_": str(taught), "freeze": "critic:1", "rates": "painter.layers:1=0.1,critic=2"}
    whole = finish(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "whole")))
    stopped_at(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "cut")), 160)
    taught.unlink()  # is not asked for again
    again = finish(resume(tmp_path / "cut"))
    assert same(whole.model, again.model)
    lineage = read_card(again.model)["lineage"]
    assert lineage == read_card(whole.model)["lineage"]
    assert [(each["how"], each["family"], each["share"]) for each in lineage] == [("from", "mlpgan", 1.0)]


def test_the_plan_is_told_before_it_starts_and_in_a_dry_run(taught: Path, tmp_path: Path) -> None:
    values = {**RUN, "from_": str(taught), "freeze": "critic:1", "rates": "painter=0.5"}
    config = TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "second")
    dry = finish(plan(config))["builds_upon"]
    job = train(config)
    news = next(progress.news for progress in job if progress.news)
    assert not (tmp_path / "second" / "checkpoints").exists()
    job.close()
    assert news.split("\n") == dry["words"]
    assert "Begins with" in news
    assert "Frozen: critic:1" in news
    assert "painter 0.5" in news
    assert dry["loaded"]["share"] == 1
    assert dry["lineage"][0]["pictures_seen"] == 320


def test_lineage_goes_back_to_the_first(taught: Path, tmp_path: Path) -> None:
    second = finish(train(TrainConfig.make("mlpgan", "digits", **RUN, from_=str(taught), out=tmp_path / "2"))).model
    third = finish(train(TrainConfig.make("mlpgan", "digits", **RUN, from_=str(second), out=tmp_path / "3"))).model
    lineage = read_card(third)["lineage"]
    assert [each["sha256"] for each in lineage] == [load(file).card["sha256"] for file in (taught, second)]

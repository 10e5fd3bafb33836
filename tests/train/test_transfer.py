"""What a run takes over from weights learned before, by name, shape and class; and what is told and kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.card import read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model, Painter
from danqing.core.learned.painting import FlowPainter
from danqing.core.learned.weights import load, load_tensors, save
from danqing.core.phrases.book import in_chinese
from danqing.core.progress import finish
from danqing.training import transfer
from danqing.training.axes import class_axes
from danqing.training.config import TrainConfig
from danqing.training.freezing import freeze, rates_of
from danqing.training.loop import resume, train
from danqing.training.plan import plan
from danqing.training.step import Stepper
from danqing.training.transfer import begin_with
from tests.train.test_stages import same, stopped_at

pytestmark = pytest.mark.usefixtures("quick_looks")

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


@pytest.mark.parametrize(
    "family", ["classifier", "dcgan", "detector", "flow", "keypoints", "mlpgan", "segmenter", "vae"]
)
def test_rows_of_no_class_stay_where_they_are(family: str, tmp_path: Path) -> None:
    known = {"size": 32, "channels": 3, "classes": 2, **({"points": ["tip"]} if family == "keypoints" else {})}
    old = made(family, seed=1, **known)
    source = save(old, tmp_path / "old.safetensors", classes=["ant", "bee"])
    model = made(family, **known)
    begin_with(model, str(source), ["bee", "ant"])
    same = 0
    for name, axis in class_axes(model).items():
        was, now = (each.state_dict()[name].unbind(axis) for each in (old, model))
        moved = [at for at in range(len(was)) if not torch.equal(was[at], now[at])]
        first = model.first_class
        assert torch.equal(now[first], was[first + 1]), name
        assert torch.equal(now[first + 1], was[first]), name
        assert set(moved) <= {first, first + 1}, name
        same += len(was) - 2
    assert (same > 0) == (family in ("flow", "segmenter"))


def test_layers_that_see_or_paint_are_recast_to_other_channels_and_told(source: Path) -> None:
    model = target(channels=3)
    found = begin_with(model, str(source), ["ant", "bee", "cat"])
    assert set(found.recast) == {"painter.last.weight", "painter.last.bias", "critic.layers.0.weight"}
    assert (found.new, found.share) == ((), 1)
    assert ("channels", 1, 3) in found.differs
    assert any("each channel begins as the grey one" in line for line in found.told())


PAINTERS: dict[str, dict[str, Any]] = {
    "dcgan": {"size": 16, "width": 4, "critic_width": 4, "latents": 4},
    "mlpgan": {"size": 8, "width": 8, "latents": 3},
    "stylegan": {"size": 16, "width": 4, "critic_width": 4, "latents": 4, "styles": 8},
    "flow": {"size": 8, "width": 16, "steps": 2},
}


def stirred(family: str, file: Path, **values: Any) -> Painter:
    """A painter whose every number is unlike a new one's, saved."""
    model, rng = made(family, **PAINTERS[family], **values).eval(), torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.add_(0.1 * torch.rand(value.shape, generator=rng))
    save(model, file, classes=["ant", "bee", "cat"][: values.get("classes", 0)])
    assert isinstance(model, Painter)
    return model


def near(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether sums of some hundred products, taken in another order in float32, can be the same."""
    return torch.allclose(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", sorted(PAINTERS.keys() - {"flow"}))
def test_in_colour_a_grey_painter_begins_by_painting_grey_and_its_critic_by_seeing_grey(
    family: str, tmp_path: Path
) -> None:
    grey = stirred(family, tmp_path / "grey.safetensors", channels=1, classes=3)
    colour = made(family, seed=5, **PAINTERS[family], channels=3, classes=3).eval()
    assert begin_with(colour, str(tmp_path / "grey.safetensors"), ["ant", "bee", "cat"]).share == 1
    assert isinstance(colour, Painter)
    z, label = torch.randn(6, *grey.latent, generator=torch.Generator().manual_seed(4)), torch.arange(6) % 3
    with torch.no_grad():
        painted, made_grey = colour.paint(z, label), grey.paint(z, label)
        assert near(painted, made_grey.expand(-1, 3, -1, -1))
        assert near(colour.judge(painted, label), grey.judge(made_grey, label))  # type: ignore[operator]
    save(colour, tmp_path / "colour.safetensors", classes=["ant", "bee", "cat"])
    again = made(family, seed=6, **PAINTERS[family], channels=1, classes=3)
    begin_with(again, str(tmp_path / "colour.safetensors"), ["ant", "bee", "cat"])
    for name, value in grey.state_dict().items():
        assert near(again.state_dict()[name].float(), value.float()), name


@pytest.mark.parametrize("family", PAINTERS)
def test_without_classes_a_painter_begins_as_what_is_between_them(family: str, tmp_path: Path) -> None:
    labelled = stirred(family, tmp_path / "one.safetensors", channels=1, classes=1)
    free = made(family, seed=5, **PAINTERS[family], channels=1, classes=0).eval()
    found = begin_with(free, str(tmp_path / "one.safetensors"))
    assert found.share == 1
    assert any("Its classes are forgotten" in line for line in found.told())
    assert isinstance(free, Painter)
    z, label = torch.randn(4, *free.latent, generator=torch.Generator().manual_seed(4)), torch.zeros(4, dtype=int)
    with torch.no_grad():
        if isinstance(free, FlowPainter) and isinstance(labelled, FlowPainter):
            assert near(free.velocity(z, 0.3), labelled.velocity(z, 0.3, None))
            return
        painted = free.paint(z)
        assert near(painted, labelled.paint(z, label))
        assert near(free.judge(painted), labelled.judge(painted, label))  # type: ignore[operator]


@pytest.mark.parametrize("family", PAINTERS)
def test_with_classes_a_painter_that_knew_none_begins_as_it_was(family: str, tmp_path: Path) -> None:
    free = stirred(family, tmp_path / "free.safetensors", channels=1, classes=0)
    labelled = made(family, seed=5, **PAINTERS[family], channels=1, classes=2).eval()
    found = begin_with(labelled, str(tmp_path / "free.safetensors"), ["ant", "bee"])
    assert all("critic" in name or name.endswith("classes.weight") for name in found.new), found.new
    assert isinstance(labelled, Painter)
    z = torch.randn(4, *free.latent, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        if isinstance(free, FlowPainter) and isinstance(labelled, FlowPainter):
            assert near(free.velocity(z, 0.3), labelled.velocity(z, 0.3, torch.arange(4) % 2, 2.0))
            return
        assert near(free.paint(z), labelled.paint(z, torch.arange(4) % 2))


def test_of_many_classes_it_is_their_even_mixture(source: Path) -> None:
    labelled, free = load(source, kind=Painter), target(classes=0).eval()
    begin_with(free, str(source))
    z = torch.randn(4, 4, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        mixed = labelled.painter(z, torch.full((4, labelled.levels, 3), 1 / 3)).add(1).div(2).clamp(0, 1)  # type: ignore[operator]
        assert near(free.paint(z), mixed)  # type: ignore[operator]


def test_the_row_of_no_class_of_a_flow_goes_along(tmp_path: Path) -> None:
    old = stirred("flow", tmp_path / "flow.safetensors", channels=1, classes=3).classes.weight  # type: ignore[union-attr]
    model = made("flow", **PAINTERS["flow"], channels=1, classes=2)
    begin_with(model, str(tmp_path / "flow.safetensors"), ["cat", "dog"])
    mean = old[:3].mean(0)  # type: ignore[index]
    assert torch.equal(model.classes.weight, torch.stack([old[2], mean, old[3]]))  # type: ignore[index, union-attr]


def test_where_little_fits_it_says_what_would(tmp_path: Path) -> None:
    one = save(made("mlpgan", size=8, width=4, latents=3), tmp_path / "one.safetensors")
    with pytest.warns(UserWarning, match=r"Only \d+% of.*All would fit with --size 8 --latents 3 --width 4"):
        begin_with(made("mlpgan", size=9, width=5, latents=2), str(one))


def test_what_would_fit_is_said_as_it_is_typed_and_labels_are_no_option(source: Path) -> None:
    """A shell would take "labels of classes" for places."""
    classes = r"classes \(in class folders, or told by --labels FILE\)"
    with pytest.warns(UserWarning, match=rf"All would fit with --latents 4 --width 2, and {classes}$"):
        begin_with(target(classes=0, width=9, latents=40), str(source))
    none = save(made("dcgan", size=16, classes=0, width=2, critic_width=2), source.with_name("none.safetensors"))
    with pytest.warns(UserWarning, match="All would fit with --no-conditional --latents 32 --width 2"):
        begin_with(target(width=40), str(none))
    for differs, said in (
        ([("conditional", True, False)], "All would fit with classes (in class folders, or told by --labels FILE)"),
        ([("flat", True, False), ("told_augment", 0.5, 0.1)], "All would fit with --flat --told-augment 0.5"),
        ([("codec", {"family": "codec"}, None)], "Take weights of another shape"),
    ):
        assert transfer._what_fits(differs) == said
        assert in_chinese(said) != said


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


def test_what_is_frozen_before_it_learned_is_said(taught: Path) -> None:
    """``--freeze`` without ``--from``, which was forgotten."""
    values = {**RUN, "freeze": "critic:1"}
    for begin, said in (({}, True), ({"from_": str(taught)}, False)):
        words = finish(plan(TrainConfig.make("mlpgan", "digits", **values, **begin)))["builds_upon"]["words"]
        assert any("stays as chance made it" in each for each in words) == said


def test_lineage_goes_back_to_the_first(taught: Path, tmp_path: Path) -> None:
    second = finish(train(TrainConfig.make("mlpgan", "digits", **RUN, from_=str(taught), out=tmp_path / "2"))).model
    third = finish(train(TrainConfig.make("mlpgan", "digits", **RUN, from_=str(second), out=tmp_path / "3"))).model
    lineage = read_card(third)["lineage"]
    assert [each["sha256"] for each in lineage] == [load(file).card["sha256"] for file in (taught, second)]

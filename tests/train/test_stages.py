"""A run as a list of stages, what is frozen in them, and rates by part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from danqing.core.errors import ParameterError
from danqing.core.fields.budget import Budget
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.learned.weights import load_tensors, save_tensors
from danqing.core.progress import Job, finish
from danqing.training.build import settings_of
from danqing.training.config import TrainConfig
from danqing.training.freezing import freeze, layers
from danqing.training.loop import resume, train
from danqing.training.plan import _Pace, _spending, plan
from danqing.training.stages import ends_of
from danqing.training.state import checkpoints_in, newest
from danqing.training.step import Stepper

pytestmark = pytest.mark.usefixtures("quick_looks")

RUN: dict[str, Any] = {"budget": "320pictures", "every": "100pictures", "batch": 16, "precision": "fp32", "threads": 1}
FREEZE_THEN_THAW: list[dict[str, Any]] = [{"share": 2, "freeze": "painter.layers:2"}, {"share": 3, "lr": 0.5}]
GROWING: list[dict[str, Any]] = [
    {"share": 1, "size": 32, "batch": 32, "params": {"patch": 16}},
    {"share": 1, "size": 48, "params": {"patch": 32}},
]
STAGED: dict[str, dict[str, Any]] = {
    "stylegan": {"width": 4, "critic_width": 4, "size": 32, "grow": 16, "every": "100%"},
    "mlpgan": {"width": 8, "stages": FREEZE_THEN_THAW},
    "restorer": {"net": "tiny", "task": "deblur", "patch": 24, "stages": GROWING},
}


def config(family: str, out: Path, **more: Any) -> TrainConfig:
    return TrainConfig.make(family, "digits", **{**RUN, **STAGED[family], "out": out, **more})


def stopped_at(job: Job[Any], seen: int) -> None:
    for progress in job:
        if "kimg" in progress.words and progress.done * 320 >= seen and progress.preview is None:
            job.close()
            return
    raise AssertionError("it ended before")


def same(first: Path, second: Path) -> bool:
    one, two = load_tensors(first)[1], load_tensors(second)[1]
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "family", ["mlpgan", *(pytest.param(each, marks=pytest.mark.slow) for each in ("restorer", "stylegan"))]
)
def test_stop_and_resume_inside_any_stage_is_bit_for_bit(family: str, tmp_path: Path) -> None:
    whole = finish(train(config(family, tmp_path / "whole")))
    for seen in (64, 240):  # inside the first stage, and inside the second
        stopped_at(train(config(family, tmp_path / str(seen))), seen)
        assert newest(tmp_path / str(seen) / "checkpoints").card["stage"] == (seen > 160)
        assert same(whole.model, finish(resume(tmp_path / str(seen))).model)
    assert newest(whole.folder / "checkpoints").card["stage"] == 1


def test_a_stage_of_its_own_kind_changes_nothing(tmp_path: Path) -> None:
    plain = finish(train(config("mlpgan", tmp_path / "plain", stages=[])))
    one = finish(train(config("mlpgan", tmp_path / "one", stages=[{}])))
    staged = finish(train(config("mlpgan", tmp_path / "staged")))
    assert same(plain.model, one.model)
    assert not same(plain.model, staged.model)


def test_what_is_frozen_stays_until_it_thaws(tmp_path: Path) -> None:
    frozen = ("critic.", "painter.layers.0.", "painter.layers.1.")
    stages = [{"share": 1, "freeze": "painter.layers:2,critic"}, {"share": 1}]
    stopped_at(train(config("mlpgan", tmp_path, stages=stages)), 160)  # the last step before it thaws
    new, now = _first(tmp_path), newest(tmp_path / "checkpoints").tensors
    for name in new.keys() - {"played"}:
        assert torch.equal(now[f"model.{name}"], new[name]) == name.startswith(frozen), name
    finish(resume(tmp_path))
    now = newest(tmp_path / "checkpoints").tensors
    assert not any(torch.equal(now[f"model.{name}"], new[name]) for name in new)


def _first(run: Path) -> dict[str, Tensor]:
    """The weights that a run began with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        card = newest(run / "checkpoints").card
        return family_named(card["family"])(**card["config"]).state_dict()


def test_the_option_freezes_the_whole_run_and_may_be_lifted_on_resuming(tmp_path: Path) -> None:
    finish(train(config("mlpgan", tmp_path, budget="64pictures", stages=[], freeze="critic")))
    critic = {name: value for name, value in _first(tmp_path).items() if name.startswith("critic.")}
    now = newest(tmp_path / "checkpoints").tensors
    assert all(torch.equal(now[f"model.{name}"], value) for name, value in critic.items())
    finish(resume(tmp_path, budget="128pictures", freeze=""))
    now = newest(tmp_path / "checkpoints").tensors
    assert not any(torch.equal(now[f"model.{name}"], value) for name, value in critic.items())


def test_a_frozen_layer_keeps_its_batch_statistics() -> None:
    model = family_named("classifier")(size=16, channels=1, classes=3, width=4).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    frozen = freeze(model, "trunk:4")
    assert frozen == {p for layer in layers(model.trunk)[:4] for p in layer.parameters()}
    stepper = Stepper(model, model.optimiser, "fp32", frozen=frozen)
    batch = Samples(torch.rand(8, 1, 16, 16), torch.arange(8) % 3)
    stepper.step(batch, torch.Generator().manual_seed(0))
    still = {id(value) for layer in layers(model.trunk)[:4] for value in (*layer.parameters(), *layer.buffers())}
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        assert torch.equal(before[name], value) == (id(value) in still), name


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("wings", r"no 'wings'.*painter:1…4.*critic:1…4"),
        ("critic:9", "critic has 4 layers.*critic:1 to critic:4"),
        ("critic:0", "critic:1 to critic:4"),
        ("critic:x", "critic:1 to critic:4"),
        pytest.param("critic:" + "9" * 5000, "critic:1 to critic:4", id="long"),
        ("critic:", "critic:1 to critic:4"),
        ("painter,critic", "nothing to learn"),
    ],
)
def test_names_that_there_are_not_are_answered_with_those_there_are(names: str, words: str) -> None:
    model = family_named("mlpgan")(size=8, classes=2, width=4)
    with pytest.raises(ParameterError, match=words):
        freeze(model, names)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ("painter", "list of stages"),
        ([3], "stage 1 must be an object"),
        ([{"wings": 2}], "share, size, batch, freeze, lr, params"),
        ([{}, {"share": 0}], "stage 2: share"),
        ([{"lr": -1}], "stage 1: lr"),
        ([{"size": "big"}], "stage 1: size"),
        ([{"batch": 0}], "stage 1: batch"),
        ([{"params": {"wings": 1}}], "stage 1: params.*width"),
        ([{"params": {"width": -1}}], "stage 1: width"),
    ],
)
def test_stages_that_cannot_be_are_refused_by_number(stages: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        TrainConfig.make("mlpgan", "digits", stages=stages)


def test_weights_that_would_not_fit_on_the_way_are_named(tmp_path: Path) -> None:
    for stage, words in (({"size": 16}, "cannot change size"), ({"params": {"width": 9}}, "cannot change width")):
        with pytest.raises(ParameterError, match=f"stage 2: a mlpgan {words} on the way: .*weight"):
            finish(train(config("mlpgan", tmp_path / "run", stages=[{}, stage])))


def test_stages_travel_through_a_file(tmp_path: Path) -> None:
    made = config("mlpgan", tmp_path / "run")
    (tmp_path / "run.json").write_text(json.dumps(made.to_json()))
    assert TrainConfig.from_json(tmp_path / "run.json") == made
    assert made.to_json()["stages"] == FREEZE_THEN_THAW
    assert ends_of(made.all_stages()) == [0.4, float("inf")]


def test_a_stage_counts_its_share_of_the_budget(tmp_path: Path) -> None:
    finish(train(config("mlpgan", tmp_path)))
    assert newest(tmp_path / "checkpoints").card["stage_seen"] == 128  # two fifths of 320


class Two(Model):
    """Two parts with rates of their own."""

    parts = ("body", "head")
    optimiser: ClassVar = {
        "body": Optimiser(lr=0.01, muon=0.02),
        "head": Optimiser(lr=0.04, betas=(0.5, 0.9), weight_decay=0.1),
    }

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(1, 1), nn.Linear(1, 1)

    def losses(self, batch: Samples, rng: torch.Generator) -> Any:
        for part in self.parts:
            yield part, self.get_submodule(part)(batch.x).square().sum()


def settings(**options: Any) -> dict[str, Optimiser]:
    return settings_of(TrainConfig.make("mlpgan", "digits", **options), Two())


def test_a_rate_given_is_that_of_the_fastest_part_and_the_others_keep_their_ratio() -> None:
    assert settings() == Two.optimiser
    made = settings(lr=0.4, decay=0.0, beta1=0.3)
    assert made == {
        "body": Optimiser(pytest.approx(0.1), (0.3, 0.999), 0.0, pytest.approx(0.2)),
        "head": Optimiser(0.4, (0.3, 0.9), 0.0, 0.0),
    }
    assert all(each.lr == 0.0 == each.muon for each in settings(lr=0.0).values()), "a rate of nothing is given, too"


def test_each_part_steps_with_its_own_settings() -> None:
    model = Two()
    model.optimiser = {"body": Optimiser(lr=0.0), "head": Optimiser(lr=0.1)}  # type: ignore[misc]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Stepper(model, model.optimiser, "fp32").step(Samples(torch.ones(1, 1)), torch.Generator())
    changed = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"head"}


def test_settings_for_some_parts_only_are_a_mistake_of_the_family() -> None:
    with pytest.raises(TypeError, match="body"):
        Stepper(Two(), {"head": Optimiser()}, "fp32")


def test_a_run_that_grows_doubles_its_pictures_and_half_of_it_is_of_the_last() -> None:
    made = TrainConfig.make("stylegan", "digits", grow=16, size=64)
    assert [(each.size, dict(each.params)) for each in made.all_stages()] == [
        (16, {"ahead": 2}),
        (32, {"ahead": 1}),
        (None, {}),
    ]
    assert ends_of(made.all_stages()) == [0.25, 0.5, float("inf")]
    assert [each.side for each in made.by_stage()] == [16, 32, 64]


@pytest.mark.parametrize(
    ("family", "values", "words"),
    [
        ("dcgan", {"grow": 16, "size": 64}, "a dcgan does not grow.*stylegan"),
        ("stylegan", {"grow": 24, "size": 64}, "24 px do not double to 64 px.*Say 32 or 16"),
        ("stylegan", {"grow": 64, "size": 64}, "do not double.*Say 32 or 16"),
        ("stylegan", {"grow": 8, "size": 64}, "8 px are too small to begin with.*Say 32 or 16"),
        ("stylegan", {"grow": 16, "size": 16}, "Leave it out"),
        ("stylegan", {"grow": 2, "size": 64}, "whole number in 8…512"),
        ("stylegan", {"grow": 32, "size": 64, "stages": [{"lr": 0.5}]}, "stages of its own"),
    ],
)
def test_growth_that_cannot_be_is_refused(family: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        TrainConfig.make(family, "digits", **values)


def test_a_run_from_before_there_was_growth_has_none(tmp_path: Path) -> None:
    known = config("mlpgan", tmp_path / "run").to_json()
    del known["grow"]
    (tmp_path / "config.json").write_text(json.dumps(known))
    assert TrainConfig.of_run(tmp_path / "config.json").options.grow is None


def test_a_plan_counts_every_stage_at_its_own_batch_and_speed(tmp_path: Path) -> None:
    told = finish(plan(config("mlpgan", tmp_path / "run", stages=[{"batch": 32}, {}])))
    assert (told["steps"], told["pictures_seen"]) == (160 / 32 + 160 / 16, 320)


def test_seconds_of_a_budget_are_spent_at_the_speed_of_each_stage() -> None:
    paces = [_Pace(1, 8.0, 32), _Pace(3, 2.0, 16)]
    timed = _spending(Budget.parse("40s"), paces, 100)
    assert (timed["steps"], timed["pictures_seen"]) == (10 * 8 + 30 * 2, 10 * 8 * 32 + 30 * 2 * 16)
    assert (timed["seconds"], timed["epochs"]) == (40.0, 35.2)
    counted = _spending(Budget.parse("2epochs"), paces, 512)
    assert (counted["steps"], counted["pictures_seen"]) == (256 / 32 + 768 / 16, 1024)
    assert counted["seconds"] == 256 / 32 / 8 + 768 / 16 / 2


@pytest.mark.parametrize(
    ("family", "forgets"), [("stylegan", True), pytest.param("mlpgan", False, marks=pytest.mark.slow)]
)
def test_scores_of_smaller_pictures_raise_no_alarm(family: str, forgets: bool, tmp_path: Path) -> None:
    """A score that no larger picture could have is forgotten where these begin, and kept where pictures stay."""
    stopped_at(train(config(family, tmp_path, every="64pictures")), 96)
    last = checkpoints_in(tmp_path / "checkpoints")[-1]
    card, tensors = load_tensors(last)
    assert card["stage"] == 0
    card["doctor"]["alarms"]["scores-fall"]["best"] = 1e-9
    save_tensors(tensors, last, card)
    finish(resume(tmp_path))
    best = newest(tmp_path / "checkpoints").card["doctor"]["alarms"]["scores-fall"]["best"]
    assert (best > 1e-9) == forgets
    if forgets:  # and growth belongs to the run
        with pytest.raises(ParameterError, match="begun with grow 16"):
            finish(resume(tmp_path, grow=None))

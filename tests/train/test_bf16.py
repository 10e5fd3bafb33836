"""bf16 as a tier of its own: every family, with every choice in its form, learns, resumes, is saved and used in it.

Where a processor has no units for bf16 it is emulated, many times slower, and rounds alike; hence the small nets.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import torch

from danqing.core.learned import model as bases
from danqing.core.learned.families import family_named
from danqing.core.learned.finder import Finder, Parser
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.painting import Translator
from danqing.core.learned.weights import load, load_tensors
from danqing.core.menu import families
from danqing.core.progress import finish
from danqing.nets.precision import autocast
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.step import Stepper
from tests.marks import SLOW_IF_EMULATED
from tests.models.things import POINTS, batch_of
from tests.train.sets import LABELLED, set_for, stripes

pytestmark = pytest.mark.usefixtures("quick_looks")

SIZE, CLASSES, STEPS = 32, 2, 3
RUN: dict[str, Any] = {"budget": "24pictures", "every": "16pictures", "batch": 8, "precision": "bf16", "threads": 1}
SMALL: dict[str, dict[str, Any]] = {  # a family that is not here learns with the nets that it proposes
    "mlpgan": {"width": 16},
    "dcgan": {"width": 8, "critic_width": 8},
    "vae": {"width": 8},
    "stylegan": {"width": 4, "critic_width": 4},
    "flow": {"width": 16},
    "pix2pix": {"width": 16, "critic_width": 4, "size": 32},
    "cyclegan": {"width": 16, "critic_width": 4, "size": 32},
    "classifier": {"width": 8},
    "restorer": {"net": "tiny", "patch": 24},
    "noisemeter": {"width": 8, "patch": 24},
    "stylist": {"net": "tiny"},
    "marker": {"patch": 24},
    "stainmeter": {"patch": 24},
    "fademeter": {"width": 8, "patch": 24},
    **{name: {"backbone": "mobilenet", "width": 16, "size": 32} for name in LABELLED},
}

NEEDED = {"mixed": {"task": "upscale"}}  # what a choice cannot be without


def choices(family: str) -> Iterator[dict[str, Any]]:
    """What the family proposes, and every other choice in its form, one at a time."""
    yield {}
    init = family_named(family).__init__
    for name, hint in typing.get_type_hints(init).items():
        offered = (False, True) if hint is bool else get_args(hint) if get_origin(hint) is Literal else ()
        yield from (
            {**NEEDED.get(name, {}), name: each}
            for each in offered
            if each != inspect.signature(init).parameters[name].default
        )


LIGHT = ("mlpgan", "dcgan", "vae", "stylegan", "classifier", "fademeter")
"""Families whose runs take little in bf16 even where it is emulated: there, the others are run among the slow ones."""


def cases(wanted: str = "") -> list[Any]:
    marks = {family: SLOW_IF_EMULATED if wanted and family not in LIGHT else () for family in families()}
    return [
        pytest.param(family, choice, id=" ".join([family, *map(str, choice.values())]), marks=marks[family])
        for family in families()
        for choice in choices(family)
        if not wanted or not choice or wanted in choice
    ]


def begun(family: str, weights: str) -> Any:
    id_ = f"{family} from {weights}"
    return pytest.param(family, {"from_": weights, "size": 32}, id=id_, marks=SLOW_IF_EMULATED)


def new(family: str, choice: dict[str, Any]) -> Model:
    """A model of a family for colour pictures in classes, as far as it asks for them."""
    data, made = {"size": SIZE, "channels": 3, "classes": CLASSES, "points": list(POINTS)}, family_named(family)
    asked = {name: data[name] for name in data.keys() & inspect.signature(made.__init__).parameters.keys()}
    return made(**{**asked, **SMALL.get(family, {}), **choice})


def samples(model: Model, count: int = 8) -> Samples:
    if isinstance(model, Finder):
        return batch_of(count, seed=0, side=SIZE)
    x = torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    pair = x.flip(3) if isinstance(model, Translator) else None
    return Samples(x, torch.arange(count) % CLASSES if model.config.get("classes") else None, pair)


def check(made: torch.Tensor) -> None:
    """Pictures and probabilities alike are float32, finite and within [0, 1]."""
    assert made.dtype == torch.float32
    assert made.isfinite().all()
    assert 0 <= made.min() <= made.max() <= 1


def use(model: Model, batch: Samples) -> None:
    """Paint, restore or predict in bf16."""
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad(), autocast("cpu", "bf16"):
        shown = model.preview(batch, rng)
        if shown is not None:
            check(shown)
        if isinstance(model, bases.Painter):
            check(model.sample(3, rng))
        if isinstance(model, Translator):
            check(model.translate(batch.x))
        if isinstance(model, Finder):
            found = model.find(batch.x, 0.0)
            assert all(0 <= thing.score <= 1 for each in found for thing in each.things)
        if isinstance(model, Parser):
            check(model.shares(batch.x))
        if isinstance(model, bases.Recogniser):
            check(model.predict(batch.x))
            assert model.features(batch.x).dtype == torch.float32
        if isinstance(model, bases.Restorer):
            model.precision = "bf16"
            mask = (torch.rand(len(batch.x), 1, *batch.x.shape[2:], generator=rng) < 0.2).float()
            check(model.restore(batch.x, mask=mask, scale=torch.tensor(2)))


@pytest.mark.parametrize(("family", "choice"), cases())
def test_three_steps_are_learned_and_what_is_learned_is_used(family: str, choice: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = new(family, choice).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    stepper, rng, batch = Stepper(model, model.optimiser, "bf16"), torch.Generator().manual_seed(0), samples(model)
    for _ in range(STEPS):
        losses = torch.tensor(list(stepper.step(batch, rng).values()))
        assert losses.isfinite().all()
    after = model.state_dict()
    assert all(after[name].dtype == tensor.dtype and after[name].isfinite().all() for name, tensor in before.items())
    assert any(not torch.equal(after[name], tensor) for name, tensor in before.items())
    use(model.eval(), batch)


@pytest.mark.parametrize(("family", "choice"), [*cases("task"), begun("restorer", "denoise-tiny")])
def test_a_run_resumes_bit_for_bit_and_its_file_is_used(family: str, choice: dict[str, Any], tmp_path: Path) -> None:
    def config(name: str) -> TrainConfig:
        data = stripes(tmp_path / "set") if "from_" in choice else set_for(family, tmp_path / "set")
        return TrainConfig.make(family, data, **{**RUN, **SMALL.get(family, {}), **choice, "out": tmp_path / name})

    whole = finish(train(config("whole")))
    job = train(config("stopped"))
    for progress in job:
        if "kimg" in progress.words and progress.done > 1 / STEPS:
            break
    job.close()
    resumed = finish(resume(tmp_path / "stopped"))
    one, other = (load_tensors(run.model)[1] for run in (whole, resumed))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert resumed.summary["steps"] == STEPS
    assert resumed.summary["precision"] == "bf16"
    model = load(resumed.folder)
    x = torch.rand(4, 1, model.config["size"], model.config["size"], generator=torch.Generator().manual_seed(0))
    use(model, Samples(x, torch.arange(4) if model.config.get("classes") else None))

"""Adapters: small changes that learn in place of kernels, and are merged into them where a model is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.adapters import adapt, adapted_as, adapters_in, merged
from danqing.core.learned.card import read_card
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load, load_tensors, save
from danqing.core.progress import finish
from danqing.training.config import TrainConfig
from danqing.training.freezing import freeze, layers
from danqing.training.loop import resume, train
from danqing.training.plan import plan
from danqing.training.state import newest
from tests.train.test_stages import same, stopped_at
from tests.train.test_transfer import RUN, made

pytestmark = pytest.mark.usefixtures("quick_looks")

KINDS = ("low-rank", "scale")
SMALL: dict[str, dict[str, Any]] = {
    "dcgan": {"size": 16, "classes": 2, "latents": 8, "width": 8, "critic_width": 4},
    "stylegan": {"size": 16, "channels": 1, "classes": 2, "latents": 8, "styles": 16, "width": 8, "critic_width": 4},
    "mlpgan": {"size": 8, "classes": 2, "latents": 8, "width": 16},
    "flow": {"size": 8, "channels": 1, "classes": 2, "width": 16, "steps": 2},
    "vae": {"size": 16, "channels": 1, "classes": 2, "width": 4},
}


def adapted(family: str, kind: Any, change: float = 0.3) -> Painter:
    model = made(family, **SMALL[family]).eval()
    assert isinstance(model, Painter)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        assert adapt(model, list(model.state_dict()), kind, 2)
        with torch.no_grad():
            for adapter in adapters_in(model):
                for matrix in adapter.parameters():
                    matrix.add_(change * torch.randn(matrix.shape))
    return model


def plain_one(model: Painter) -> Painter:
    """The same without adapters."""
    plain = type(model)(**model.config).eval()
    plain.load_state_dict(merged(model.state_dict()))
    return plain


def painted(model: Painter) -> torch.Tensor:
    with torch.no_grad():
        return model.sample(4, torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", SMALL)
def test_merged_kernels_paint_what_adapters_paint_in_any_family(family: str, kind: str) -> None:
    plain, model = made(family, **SMALL[family]), adapted(family, kind)
    whole = plain_one(model)
    assert torch.equal(painted(whole), painted(model))
    assert not torch.equal(painted(whole), painted(plain.eval()))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_new_adapters_change_nothing_and_are_small(kind: Any) -> None:
    plain, model = made("dcgan", **SMALL["dcgan"]).eval(), made("dcgan", **SMALL["dcgan"]).eval()
    layers_of = adapt(model, ["painter.layers.0.weight", "painter.last.weight", "painter.last.bias"], kind, 2)
    larger = kind == "low-rank"  # than the last kernel itself, of one row
    assert layers_of == (["painter.layers.0"] if larger else ["painter.layers.0", "painter.last"])
    assert torch.equal(painted(model), painted(plain))  # type: ignore[arg-type]
    adapter, kernel = next(adapters_in(model)), model.get_submodule("painter.layers.0").parametrizations.weight.original  # type: ignore[union-attr]
    assert not kernel.requires_grad  # type: ignore[union-attr]
    assert sum(each.numel() for each in adapter.parameters()) < kernel.numel() / 4  # type: ignore[union-attr, operator]


def test_what_an_adapter_adds_has_its_rank_and_what_it_multiplies_is_alike_for_a_kernel() -> None:
    plain = made("dcgan", **SMALL["dcgan"]).get_parameter("painter.layers.1.weight").detach()
    added = plain_one(adapted("dcgan", "low-rank")).get_parameter("painter.layers.1.weight").detach() - plain
    values = torch.linalg.svdvals(added.flatten(1))
    assert values[1] > 0.01 * values[0]
    assert (values[2:] < 1e-5 * values[0]).all(), "more than rank 2"
    factors = plain_one(adapted("dcgan", "scale")).get_parameter("painter.layers.1.weight").detach() / plain - 1
    centre = factors[:, :, 1:2, 1:2]
    near = (factors - centre).abs() / (1 + centre.abs())
    assert (near < 1e-3).all(), "the places of a kernel are multiplied alike"
    assert (torch.linalg.svdvals(centre[:, :, 0, 0])[2:] < 1e-3).all()


def test_layers_are_counted_as_before() -> None:
    plain, model = made("dcgan", **SMALL["dcgan"]).train(), adapted("dcgan", "low-rank").train()
    assert len(layers(plain)) == len(layers(model))
    frozen = freeze(model, "painter.layers:1")
    assert frozen >= set(model.get_submodule("painter.layers.0").parameters())
    spectral = made("dcgan", **SMALL["dcgan"], critic_norm="spectral")
    assert len(layers(spectral.get_submodule("critic.layers"))) == len(layers(plain.get_submodule("critic.layers")))


def test_a_checkpoint_with_adapters_stands_for_its_model(tmp_path: Path) -> None:
    model = adapted("mlpgan", "scale")
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    again = adapted_as(made("mlpgan", **SMALL["mlpgan"]), tensors, "model.").eval()
    again.load_state_dict(model.state_dict())
    assert torch.equal(painted(again), painted(model))  # type: ignore[arg-type]
    file = save(model, tmp_path / "whole.safetensors")
    assert not any("parametrizations" in name for name in load_tensors(file)[1])
    assert torch.equal(painted(load(file, kind=Painter)), painted(model))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("taught")
    short = {**RUN, "budget": "64pictures", "every": "100%"}
    return finish(train(TrainConfig.make("mlpgan", "digits", **short, width=8, latents=8, out=place / "first"))).model


def values_for(taught: Path, kind: str) -> dict[str, Any]:
    return {**RUN, "from_": str(taught), "adapters": kind, "rank": 2}


def test_only_adapters_and_small_weights_learn_and_the_file_is_a_plain_one(taught: Path, tmp_path: Path) -> None:
    values = {**values_for(taught, "scale"), "budget": "64pictures", "every": "100%"}
    run = finish(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "run")))
    saved = newest(run.folder / "checkpoints").tensors
    before, after = load_tensors(taught)[1], load_tensors(run.model)[1]
    assert before.keys() == after.keys()
    kernels = [
        name for name in before if f"model.{name.removesuffix('weight')}parametrizations.weight.original" in saved
    ]
    assert kernels == [f"painter.layers.{at}.weight" for at in range(3)]
    for name in kernels:
        original = saved[f"model.{name.removesuffix('weight')}parametrizations.weight.original"]
        assert torch.equal(original, before[name]), name
        assert not torch.equal(after[name], before[name]), name
    assert not torch.equal(after["painter.layers.0.bias"], before["painter.layers.0.bias"])
    assert not torch.equal(after["critic.layers.0.weight"], before["critic.layers.0.weight"])
    told = read_card(run.model)["lineage"][0]["adapters"]
    assert (told["kind"], told["rank"], told["kernels"]) == ("scale", 2, 3)
    assert told["numbers"] < told["of"]
    for other in ("low-rank", "none"):
        with pytest.raises(ParameterError, match=rf"begun with adapters scale \(not {other}\)"):
            resume(run.folder, adapters=other, budget="96pictures").send(None)


def test_stop_and_resume_with_adapters_is_bit_for_bit(taught: Path, tmp_path: Path) -> None:
    stages = [{"share": 1, "freeze": "painter.layers:1"}, {"share": 1}]
    short = {"budget": "160pictures", "every": "50%", "stages": stages, "rates": "painter.layers.1=2"}
    values = {**values_for(taught, "low-rank"), **short}
    whole = finish(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "whole")))
    stopped_at(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "cut")), 240)  # at three quarters
    assert load(tmp_path / "cut", kind=Painter).sample(1, torch.Generator()).isfinite().all()
    assert same(whole.model, finish(resume(tmp_path / "cut")).model)


def test_the_plan_tells_of_adapters(taught: Path, tmp_path: Path) -> None:
    config = TrainConfig.make("mlpgan", "digits", **values_for(taught, "low-rank"), out=tmp_path / "run")
    told = finish(plan(config))["builds_upon"]
    assert told["loaded"]["adapters"]["kernels"] == 3
    assert any(line.startswith("Adapters: low-rank, rank 2, on 3 kernels") for line in told["words"])


def test_adapters_that_cannot_be_are_refused_before_anything_is_touched(taught: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("mlpgan", {"adapters": "scale"}, "this run begins anew.*--from"),
        ("mlpgan", {"rank": 3}, "there are none.*--adapters low-rank"),
        ("classifier", {"adapters": "scale"}, "a classifier is not.*--freeze and --rates"),
        ("mlpgan", {"adapters": "scale", "rank": 256, "from_": str(taught)}, "no kernel.*rank 256.*smaller --rank"),
    ]
    for family, values, words in cases:
        with pytest.raises(ParameterError, match=words):
            finish(train(TrainConfig.make(family, "digits", **RUN, **values, out=out)))
    with pytest.raises(ParameterError, match="adapters"):
        TrainConfig.make("mlpgan", "digits", **RUN, adapters="wings", from_=str(taught))
    assert not out.exists()
    with pytest.raises(ModelFileError, match="no such weights"):
        TrainConfig.make("mlpgan", "digits", **RUN, adapters="scale", from_=str(tmp_path / "nothing"))


@pytest.mark.parametrize("kind", KINDS)
def test_adapters_find_a_change_of_their_kind_while_kernels_stay(kind: Any) -> None:
    target, model = adapted("mlpgan", kind, 0.1), made("mlpgan", **SMALL["mlpgan"])
    assert isinstance(model, Painter)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        adapt(model, list(model.state_dict()), kind, 2)
    learning = [matrix for adapter in adapters_in(model) for matrix in adapter.parameters()]
    optimiser, rng = torch.optim.Adam(learning, 1e-2), torch.Generator().manual_seed(5)
    apart = []
    for _ in range(100):
        z, label = torch.randn(64, 8, generator=rng), torch.arange(64) % 2
        loss = (model.painter(z, label) - target.painter(z, label).detach()).square().mean()  # type: ignore[operator]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        apart.append(float(loss.detach()))
    assert apart[-1] < apart[0] / 2, (apart[0], apart[-1])

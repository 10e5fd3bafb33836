"""Learning from a teacher: large painters, restorers and recognisers teach small ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.card import read_card
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.learned.weights import save
from danqing.core.progress import finish
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.step import Stepper
from danqing.training.teaching import Teacher, distance_of
from tests.train.test_stages import same, stopped_at
from tests.train.test_transfer import made

pytestmark = pytest.mark.usefixtures("quick_looks")

RUN: dict[str, Any] = {"budget": "320pictures", "every": "100pictures", "batch": 16, "precision": "fp32", "threads": 1}
PAINTER: dict[str, Any] = {"size": 8, "channels": 1, "classes": 2, "latents": 4}


def painter(tmp_path: Path, **values: Any) -> Path:
    model = made("mlpgan", seed=3, **{**PAINTER, "width": 16, **values})
    names = ["bee", "ant"][: model.config["classes"]]
    return save(model, tmp_path / "teacher.safetensors", classes=names)


def test_distance_is_zero_only_for_equal_pictures_and_that_of_a_shift_in_brightness() -> None:
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)) / 2
    assert distance_of(x, x) == 0
    assert torch.allclose(distance_of(x, x + 0.25), torch.tensor(0.25))  # at every scale
    fine = torch.arange(16) % 2 * 0.5  # what averages out counts at the finest scale alone
    assert torch.allclose(
        distance_of(fine.expand(1, 1, 16, 16), torch.full((1, 1, 16, 16), 0.25)), torch.tensor(0.25 / 3)
    )


def test_a_small_painter_comes_to_paint_what_its_teacher_paints(tmp_path: Path) -> None:
    student = made("mlpgan", **PAINTER, width=8)
    teacher = Teacher(str(painter(tmp_path)), student, ["ant", "bee"], 100.0)
    assert teacher.classes == [1, 0], "classes go by name"
    rng, batch = torch.Generator().manual_seed(0), Samples(torch.rand(64, 1, 8, 8), torch.arange(64) % 2)

    def apart() -> float:
        with torch.no_grad():
            z = torch.randn(256, 4, generator=torch.Generator().manual_seed(9))
            label = torch.arange(256) % 2
            return float((student.paint(z, label) - teacher.model.paint(z, 1 - label)).abs().mean())  # type: ignore[union-attr]

    student.eval()
    before = apart()
    stepper = Stepper(student.train(), Optimiser(3e-3), "fp32", teacher=teacher)
    for _ in range(150):
        stepper.step(batch, rng)
    student.eval()
    assert apart() < before / 2


def test_a_tiny_restorer_and_a_recogniser_learn_from_larger_ones(tmp_path: Path) -> None:
    cases: list[tuple[str, dict[str, Any], dict[str, Any], Samples]] = [
        ("restorer", {"net": "small"}, {"size": 32, "task": "deblur", "patch": 32}, Samples(torch.rand(4, 3, 32, 32))),
        ("classifier", {"width": 8}, {"size": 16, "channels": 1, "classes": 2}, Samples(torch.rand(8, 1, 16, 16))),
    ]
    for family, large, shared, batch in cases:
        large_one = made(family, seed=3, **large, **shared)
        with torch.no_grad():
            for weight in large_one.parameters():  # a new restorer changes nothing, so has nothing to teach
                weight += 0.02 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(4))
        file = save(large_one, tmp_path / f"{family}.safetensors", classes=["ant", "bee"])
        student = made(family, **shared, **({"net": "tiny"} if family == "restorer" else {"width": 4}))
        teacher = Teacher(str(file), student, ["ant", "bee"], 1.0)
        optimiser = torch.optim.Adam(student.parameters(), 3e-3)
        steps = []
        for _ in range(25):
            loss = teacher.lesson(student, batch, torch.Generator().manual_seed(0))
            steps.append(float(loss.detach()))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        assert steps[-1] < steps[0], family
        assert all(weight.grad is None for weight in teacher.model.parameters())


def test_a_model_that_is_its_own_teacher_has_nothing_to_learn(tmp_path: Path) -> None:
    values: dict[str, Any] = {"size": 16, "channels": 1, "classes": 2, "width": 4}
    file = save(made("classifier", **values).eval(), tmp_path / "same.safetensors", classes=["ant", "bee"])
    student = made("classifier", **values).eval()
    lesson = Teacher(str(file), student, ["ant", "bee"], 1.0).lesson(
        student, Samples(torch.rand(8, 1, 16, 16)), torch.Generator()
    )
    assert float(lesson.detach()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("theirs", "mine", "words"),
    [
        ({"channels": 3}, {}, "has channels 3, the new model 1.*--channels colour"),
        ({"classes": 0}, {}, "knows no classes.*--no-conditional"),
        ({}, {"classes": 0}, "knows classes, the new model none"),
    ],
)
def test_teachers_that_do_not_fit_say_what_would(
    theirs: dict[str, Any], mine: dict[str, Any], words: str, tmp_path: Path
) -> None:
    student = made("mlpgan", **{**PAINTER, **mine}, width=4)
    with pytest.raises(ModelFileError, match=words):
        Teacher(str(painter(tmp_path, **theirs)), student, ["ant", "bee"][: student.config["classes"]], 1.0)


def test_teachers_of_another_kind_or_class_and_families_that_cannot_be_taught_are_refused(tmp_path: Path) -> None:
    file = str(painter(tmp_path))
    with pytest.raises(ModelFileError, match=r"does not know the class cow.*bee, ant"):
        Teacher(file, made("mlpgan", **PAINTER, width=4), ["ant", "cow"], 1.0)
    with pytest.raises(ModelFileError, match=r"cannot teach a restorer.*A restorer can"):
        Teacher(file, made("restorer", size=16, patch=16, net="tiny"), [], 1.0)
    with pytest.raises(ParameterError, match="a noisemeter cannot learn from a teacher"):
        Teacher(file, made("noisemeter"), [], 1.0)
    with pytest.raises(ModelFileError, match="no such weights"):
        finish(train(TrainConfig.make("mlpgan", "digits", **RUN, teacher=str(tmp_path / "no"), out=tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_stop_and_resume_with_a_teacher_is_bit_for_bit_and_asks_for_the_same_one(tmp_path: Path) -> None:
    first = finish(train(TrainConfig.make("mlpgan", "digits", **RUN, width=16, out=tmp_path / "teacher"))).model
    values = {**RUN, "width": 8, "teacher": str(first), "teaching": 2.0}
    whole = finish(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "whole")))
    stopped_at(train(TrainConfig.make("mlpgan", "digits", **values, out=tmp_path / "cut")), 160)
    other = finish(train(TrainConfig.make("mlpgan", "digits", **RUN, width=16, seed=1, out=tmp_path / "other"))).model
    with pytest.raises(ModelFileError, match="not the teacher that the run was begun with"):
        finish(resume(tmp_path / "cut", teacher=str(other)))
    moved = first.rename(tmp_path / "moved.safetensors")
    again = finish(resume(tmp_path / "cut", teacher=str(moved)))
    assert same(whole.model, again.model)
    plain = finish(train(TrainConfig.make("mlpgan", "digits", **{**RUN, "width": 8}, out=tmp_path / "plain")))
    assert not same(whole.model, plain.model)
    (entry,) = read_card(again.model)["lineage"]
    assert (entry["how"], entry["sha256"], entry["weight"]) == ("teacher", read_hash(moved), 2.0)


def read_hash(file: Path) -> str:
    from danqing.core.disk import hash_of

    return hash_of(file)

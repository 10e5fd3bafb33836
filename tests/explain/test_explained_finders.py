"""Explanations of what finds things: they point at what decides, sum up, and depend on what was learned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Generator, Tensor
from toys import SIDE, Seeker, planted

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.finder import Finder, Parser, Places
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import load
from danqing.core.notes import noted
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found
from danqing.maths.fitting import in_channels
from danqing.models.detector import Detector
from danqing.models.keypoints import Keypoints
from danqing.models.segmenter import Segmenter
from danqing.nets.detection import sized
from danqing.nets.finding import cells_of, flat
from danqing.nets.reasons import ALIKE, aimed
from tests.models.things import NAMES, POINTS, batch_of

DRAWS = 20
SIZE = 32
MODELS = (Detector, Segmenter, Keypoints)


class Spotter(Finder):
    """Finds the chequered patch as class 1; class 0 scores even grounds. Its trunk is the seeker."""

    sees_by = "seeker"

    def __init__(self, size: int = SIDE, channels: int = 1, classes: int = 2) -> None:
        super().__init__()
        self.seeker = Seeker()

    def features(self, x: Images) -> Tensor:
        return self.seeker.features(x)

    def places(self, x: Images) -> Places:
        maps = self.seeker.seek(sized(x, SIDE, 0.0)[0][:, :1])
        middle = cells_of([maps], [1]).middle
        return Places(flat([maps]), torch.cat([middle - 1.5, middle + 1.5], 1))

    def find(self, x: Images, threshold: float, count: int = 100, side: int | None = None) -> list[Found]:
        return [Found(x.shape[3], x.shape[2])] * len(x)

    def outputs(self, x: Images) -> tuple[Tensor, ...]:
        return tuple(self.places(x))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", self.places(batch.x).odds.sum()


def made(kind: type[Finder]) -> Finder:
    torch.manual_seed(0)
    points = {"points": list(POINTS)} if kind is Keypoints else {}
    model = kind(size=SIZE, channels=3, classes=2, backbone="mobilenet", **points)
    model.card = {"classes": list(NAMES)}
    return model.eval()


def hottest(picture: Tensor, x: Tensor) -> tuple[int, int]:
    """Where an overlay is most orange, beside the frame around what is explained."""
    return divmod(int((picture[:, 0] - picture[:, 2]).flatten().argmax()), x.shape[3])


@pytest.mark.parametrize("name", ["grad_cam", "integrated_gradients", "occlusion"])
def test_a_planted_patch_is_found_from_its_box(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame is left out, so that the map alone decides; the box asked for is off by a pixel, as people draw it."""
    monkeypatch.setattr(f"danqing.explain.{name}.with_aim", lambda drawn, aim: drawn)
    values = {"occlusion": {"side": 3}, "grad_cam": {}}.get(name, {"ground": "grey"})
    hits = 0
    for seed in range(DRAWS):
        x, row, column = planted(seed)
        box = (max(column - 2, 0), max(row - 1, 0), 3, 3)
        found = getattr(danqing, name)(x, Spotter(), label="1", box=box, **values)
        down, across = hottest(found.picture, x)
        hits += max(abs(down - row), abs(across - column)) <= 2
        assert found.numbers[0]["box"] != [0, 0, SIDE, SIDE]
    assert hits >= 0.9 * DRAWS


def test_what_is_asked_is_the_surest_there() -> None:
    x, row, column = planted(5)
    model = Spotter()
    surest = aimed(model, x, None)
    assert (surest.told["label"], surest.told["box"]) == ("1", [column - 1, row - 1, column + 2, row + 2])
    assert surest.score(model, x).item() == model.places(x).odds.max().item()
    there = aimed(model, x, "1", point=(column + 1, row - 1))
    assert torch.equal(there.rows, surest.rows)
    other = aimed(model, x, "0", point=(0, SIDE - 1))
    left, top, right, bottom = other.told["box"]
    assert left <= 0.5 <= right
    assert top <= SIDE - 0.5 <= bottom


@pytest.mark.parametrize(
    "kind", [Segmenter, *(pytest.param(kind, marks=pytest.mark.slow) for kind in (Detector, Keypoints))]
)
def test_credits_of_a_thing_sum_to_the_change_of_its_odds(kind: type[Finder]) -> None:
    """Within 2 %, with steps that are doubled until they do; of nets as they are trained, norms by groups included."""
    x, model = batch_of(1, 3, side=32, empty=0.0).x, made(kind)
    row = danqing.integrated_gradients(x, model, steps=32).numbers[0]
    assert row["gap"] <= 0.02
    aim = aimed(model, x, None)
    with torch.no_grad():
        change = aim.score(model, x) - aim.score(model, torch.zeros_like(x))
    assert row["change"] == pytest.approx(float(change), rel=1e-3, abs=1e-4)


def test_random_weights_change_the_map() -> None:
    """Of the patch nothing is left when what seeks it is drawn anew."""
    told = [danqing.integrated_gradients(planted(seed)[0], Spotter(), label="1", ground="grey").numbers[0]["random"]
            for seed in range(6)]  # fmt: skip
    assert sum(each < ALIKE for each in told) >= 5


def test_a_map_that_weights_do_not_change_is_named() -> None:
    class Stubborn(Spotter):
        def places(self, x: Images) -> Places:
            unused = super().places(x)
            bright = (x * torch.linspace(0, 1, x.shape[3])).sum((1, 2, 3))
            return Places(unused.odds * 0 + bright[:, None, None], unused.boxes)

    notes: list[str] = []
    with noted(notes):
        danqing.integrated_gradients(torch.rand(1, 1, SIDE, SIDE), Stubborn(), label="1")
    assert any("random weights" in each for each in notes)


def test_a_pixel_of_a_mask_and_a_point_are_explained() -> None:
    x = batch_of(1, 3, side=SIZE).x
    wide = torch.nn.functional.interpolate(x, (40, 96), mode="bilinear")
    (row,) = danqing.occlusion(wide, made(Segmenter), point=(50, 20), side=20).numbers
    left, top, right, bottom = row["box"]
    assert left <= 50.5 <= right
    assert top <= 20.5 <= bottom
    assert right - left == pytest.approx(96 / SIZE, abs=0.02)
    model = made(Keypoints)
    (point,) = danqing.grad_cam(x, model, label="top").numbers
    assert point["label"] == "top"
    assert point["box"][2] - point["box"][0] == 4
    assert aimed(model, x, None).told["label"] in NAMES


def test_all_pixels_of_a_class_are_explained_together() -> None:
    class Halves(Parser, Spotter):  # the left half is class 0, what of it is bright class 1
        def shares(self, x: Images, side: int | None = None) -> Tensor:
            return self.places(x).odds.sigmoid()

        def places(self, x: Images) -> Places:
            left = torch.where(torch.arange(x.shape[3]) < SIDE // 2, 4.0, -4.0).expand_as(x)
            middle = cells_of([x], [1]).middle
            return Places(flat([torch.cat([left + 0 * x, x - 5], 1)]), torch.cat([middle - 0.5, middle + 0.5], 1))

    x = planted(0)[0]
    aim = aimed(Halves(), x, None)
    assert aim.told["box"] == [0, 0, SIDE // 2, SIDE]
    assert len(aim.rows) == SIDE * SIDE // 2
    assert aim.told["probability"] == pytest.approx(1 / (1 + math.exp(-4)))
    part = aimed(Halves(), x, "0", point=(3, 4))
    assert len(part.rows) == 1


@pytest.mark.parametrize("kind", MODELS)
def test_layers_of_what_finds_things_are_shown_by_name(kind: type[Finder]) -> None:
    x, model = batch_of(1, 3).x, made(kind)
    told = danqing.feature_maps(x, model, count=4).numbers[0]
    assert any(name.startswith("trunk.") for name in told["layers"])
    layer = next(name for name in told["layers"] if not name.startswith("trunk."))
    painted = danqing.activation_maximisation(model, layer=layer, channel=1, steps=2, size=32)
    assert painted.shape == (1, 3, 32, 32)
    mapped = danqing.grad_cam(x, model, layer=layer).numbers[0]
    assert mapped["layer"] == layer


@pytest.mark.parametrize("name", ["marker", "stylist", "textures", "denoise-tiny", "characters"])
def test_layers_of_all_that_looks_at_pictures_are_shown_by_name(name: str) -> None:
    """Restorers and stylists by what they paint anew, generators by their critics."""
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    model = load(name)
    x = in_channels(x, model.config.get("channels", 3))
    told = danqing.feature_maps(x, model, count=1).numbers[0]
    assert told["size"][0] >= 1
    if name == "textures":
        assert danqing.activation_maximisation(model, steps=1, size=64).shape[2:] == (64, 64)


@pytest.mark.parametrize("name", ["denoise-tiny", "stylist"])
def test_what_cannot_be_followed_back_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="followed back"):
        danqing.activation_maximisation(name, steps=1, size=32)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"label": "leaf"}, "label"),
        ({"point": (SIDE, 0)}, "point"),
        ({"box": (20, 0, 9, 2)}, "box"),
    ],
)
def test_what_there_is_not_is_refused(values: dict[str, Any], where: str) -> None:
    for name in ("grad_cam", "integrated_gradients", "occlusion"):
        with pytest.raises(ParameterError) as caught:
            getattr(danqing, name)(planted(0)[0], Spotter(), **values)
        assert caught.value.where == where


def test_a_classifier_is_asked_of_no_place() -> None:
    with pytest.raises(ParameterError, match="whole picture"):
        danqing.grad_cam(planted(0)[0], Seeker(), point=(1, 1))

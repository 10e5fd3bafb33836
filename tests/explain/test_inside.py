"""Layers, channels and reaches: what is shown is what is there."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from toys import SIDE, Box, Seeker, TwoStrokes, planted

import danqing
from danqing.core.errors import ParameterError
from danqing.core.learned.model import Recogniser
from danqing.core.learned.weights import load
from danqing.data.digits import digits
from danqing.maths.attacks import fgsm, pgd

U = 2.0**-24


def test_a_layers_maps_are_shown_the_liveliest_first() -> None:
    x, row, column = planted(3)
    found = danqing.feature_maps(x, Seeker(), count=2)
    told = found.numbers[0]
    assert told["layers"] == ["seek"]
    assert told["size"] == [2, SIDE, SIDE]
    assert told["channels"] == [1, 0]
    assert told["deviation"] == sorted(told["deviation"], reverse=True)
    times = found.picture.shape[2] // SIDE
    first = found.picture[0, 0, : times * SIDE : times, : times * SIDE : times]
    assert divmod(int(first.argmax()), SIDE) == (row, column)


def test_what_a_channel_waits_for_is_answered_more_than_chance() -> None:
    painted = danqing.activation_maximisation(Seeker(), layer="seek", channel=1, steps=40)
    before = danqing.activation_maximisation(Seeker(), layer="seek", channel=1, steps=1)
    one, other = (float(Seeker().seek(x)[0, 1].mean()) for x in (painted, before))
    assert one > other
    again = danqing.activation_maximisation(Seeker(), layer="seek", channel=1, steps=40)
    assert torch.equal(painted, again)


def test_what_a_channel_paints_is_found_by_leaving_it_out() -> None:
    found = danqing.ablation(TwoStrokes(), layer="strokes", count=3)
    assert [row["channel"] for row in found.numbers] == [0, 1, 2]
    assert found.numbers[0]["change"] == pytest.approx(255 * 0.8 / 2, rel=1e-5)
    assert found.numbers[2]["change"] == 0
    assert found.numbers[0]["across"] == pytest.approx((SIDE / 2 - 1) / 2 / (SIDE - 1), rel=1e-5)
    assert found.numbers[1]["down"] > 0.7
    sheet = found.picture
    rows = [sheet[0, :, top : top + SIDE, :SIDE] for top in range(0, 4 * (SIDE + 2), SIDE + 2)]
    warm = [(row[0] - row[2] > 0.5).float().mean() for row in rows]
    assert [float(each) for each in warm] == [0, 0.25, 0.25, 0]


def test_a_restorer_is_seen_to_look_as_far_as_it_does() -> None:
    x = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    found = danqing.attribution(x, Box(), point=(20, 24), side=1)
    told = found.numbers[0]
    assert (told["reach"], told["sees"], told["beyond"]) == (2, 2, 0)
    warm = found.picture[0, 0] - found.picture[0, 2] > 10 * U
    rows, columns = warm.nonzero().T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (22, 26, 18, 22)


@pytest.mark.parametrize(
    ("height", "width", "row", "column"), [(1, 1, 0, 0), (1, 30, 0, 29), (40, 3, 0, 0), (10, 10, 9, 9)]
)
def test_squares_reach_the_edges_of_pictures(height: int, width: int, row: int, column: int) -> None:
    x = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(1))
    found = danqing.attribution(x, Box(), point=(column, row), side=1)
    assert found.numbers[0]["sees"] == min(2, max(row, height - 1 - row, column, width - 1 - column))
    wide = danqing.attribution(x, Box(), point=(column, row), side=8).picture
    assert wide[0, 0, row, column] > wide[0, 2, row, column]  # its own square is tried, though cut off, and is orange


def test_what_is_far_away_need_not_be_restored_again() -> None:
    x = torch.rand(1, 3, 40, 400, generator=torch.Generator().manual_seed(2))
    values = {"weights": "denoise-tiny", "side": 16, "sigma": 25.0}
    whole = danqing.attribution(x, point=(200, 20), **values).numbers[0]
    part = danqing.attribution(x[..., 32:368].contiguous(), point=(168, 20), **values).numbers[0]
    assert (whole["sees"], whole["most"]) == (part["sees"], part["most"])
    assert whole["beyond"] < 0.5


def test_nothing_is_moved_further_than_it_may_be_and_the_loss_rises() -> None:
    net, rng = load("digits", kind=Recogniser), torch.Generator().manual_seed(0)
    x = torch.rand(4, 1, 28, 28, generator=rng)
    label = net.predict(x).argmax(1)
    for moved in (fgsm(net.logits, x, label, 4 / 255), pgd(net.logits, x, label, 4 / 255, rng)):
        assert float((moved - x).abs().max()) <= 4 / 255 + 4 * U
        assert float(moved.min()) >= 0
        assert float(moved.max()) <= 1
        assert (net.predict(moved)[range(4), label] < net.predict(x)[range(4), label]).all()


def test_robustness_begins_with_the_pictures_as_they_are() -> None:
    found = danqing.robustness("digits", count=30, other="digits")
    rows = found.numbers
    assert rows[0]["done"] == "as they are"
    assert rows[0]["lost"] == 0
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in rows)
    assert all(row["other"] == row["accuracy"] for row in rows)
    assert min(row["accuracy"] for row in rows) < rows[0]["accuracy"]
    assert {row["done"] for row in rows} >= {"turned", "blurred", "noise", "jpeg", "fgsm", "pgd"}
    assert found.named["examples"].shape[1] == 1


def test_no_two_pictures_get_the_same_noise(tmp_path: Path) -> None:
    """However many there are: they are looked at in portions."""
    for folder in ("0", "1"):
        (tmp_path / folder).mkdir()
        for at in range(35):  # alike but for a pixel, as pictures that are the same are no more than one
            pixels = np.full((28, 28), 128, np.uint8)
            pixels[0, at % 28], pixels[1, at // 28] = 90, 100 + int(folder)
            Image.fromarray(pixels).save(tmp_path / folder / f"{at}.png")
    net, seen = Seeker(size=28), []
    net.seek.register_forward_pre_hook(lambda module, given: seen.append(given[0].detach()))
    found = danqing.robustness(net, data=str(tmp_path), split="all", count=70).numbers
    at = next(number for number, row in enumerate(found) if row["done"] == "noise")
    noisy = torch.cat(seen[2 * at : 2 * at + 2])[:, 0, 4:].flatten(1)
    assert len(noisy) == 70
    alike = torch.corrcoef(noisy) - torch.eye(70)
    assert alike.abs().max() < 6 / noisy.shape[1] ** 0.5  # six standard deviations of what chance makes alike


def test_few_pictures_stand_in_a_row_for_each_trial(tmp_path: Path) -> None:
    pixels, labels = digits("test")
    for at in range(3):
        folder = tmp_path / str(labels[at])
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels[at]).save(folder / f"{at}.png")
    found = danqing.robustness("digits", data=str(tmp_path), split="all", count=10)
    examples, trials = found.named["examples"], len(found.numbers)
    side = (examples.shape[3] + 2) // 3
    assert examples.shape[2] == trials * side - 2


def test_a_second_classifier_may_number_the_classes_otherwise() -> None:
    net = load("digits", kind=Recogniser)
    other = copy.deepcopy(net)
    with torch.no_grad():
        for each in other.parameters():
            if len(each) == 10:
                each.copy_(each.flip(0))
    other.card = {**net.card, "classes": [str(digit) for digit in range(9, -1, -1)]}
    rows = danqing.robustness(net, count=10, other=other).numbers[:13]  # misled pictures are made for each apart
    assert [row["other"] for row in rows] == [row["accuracy"] for row in rows]


@pytest.mark.parametrize(
    ("name", "values", "where"),
    [
        ("feature_maps", {"x": torch.rand(1, 1, SIDE, SIDE), "weights": TwoStrokes()}, "weights"),
        ("feature_maps", {"x": torch.rand(1, 1, SIDE, SIDE), "weights": Seeker(), "layer": "seeks"}, "layer"),
        ("activation_maximisation", {"weights": TwoStrokes()}, "weights"),
        ("activation_maximisation", {"weights": Seeker(), "channel": 2}, "channel"),
        ("ablation", {"weights": TwoStrokes(), "label": "3"}, "label"),
        ("ablation", {"weights": TwoStrokes(), "layer": "nothing"}, "layer"),
        ("attribution", {"x": torch.rand(1, 1, 8, 8), "weights": Box(), "point": (8, 0)}, "point"),
        ("attribution", {"x": torch.rand(1, 3, 8, 8), "weights": "inpaint-small"}, "weights"),
        ("feature_maps", {"x": torch.rand(1, 3, 8, 8), "weights": "upscale-small"}, "weights"),
    ],
)
def test_what_there_is_not_is_refused(name: str, values: dict[str, Any], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        getattr(danqing, name)(**values)
    assert caught.value.where == where

"""Naming pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from skimage import draw

from danqing.core.errors import ModelFileError, ParameterError
from danqing.data.digits import digits
from danqing.models.classifier import Classifier
from danqing.models.vae import VAE
from danqing.recognise.predict import predict


def test_digits_are_named_with_their_probabilities() -> None:
    pictures, labels = digits("test")
    found = predict(torch.from_numpy(pictures[:50, None].copy()).float() / 255, "digits", top=10)
    assert sum(row["label"] == str(label) for row, label in zip(found.numbers, labels[:50], strict=True)) >= 49
    for row in found.numbers:
        chances = [each["probability"] for each in row["classes"]]
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) == pytest.approx(1, abs=1e-5)
        assert row["label"] == row["classes"][0]["label"]
        assert row["probability"] == chances[0]
    json.dumps(found.numbers, allow_nan=False)


def test_a_drawn_ring_is_a_zero_in_a_picture_of_any_size() -> None:
    canvas = np.zeros((3, 200, 320), np.float32)
    rows, columns = draw.disk((100, 160), 60)
    canvas[:, rows, columns] = 1
    rows, columns = draw.ellipse(100, 160, 42, 34)
    canvas[:, rows, columns] = 0
    assert predict(torch.from_numpy(canvas)[None], "digits").numbers[0]["label"] == "0"


def test_a_picture_is_named_alike_in_any_company() -> None:
    x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert predict(x, "digits").numbers[3:4] == predict(x[3:4], "digits").numbers


def test_names_come_from_the_card_and_top_is_held_to_the_classes() -> None:
    model = Classifier(16, 3, 2, width=4).eval()
    x = torch.zeros(1, 3, 16, 16)
    assert {each["label"] for each in predict(x, model, top=9).numbers[0]["classes"]} == {"0", "1"}
    model.card["classes"] = ["crack", "whole"]
    assert predict(x, model, top=1).numbers[0]["label"] in ("crack", "whole")


def test_refuses_weights_that_name_nothing_and_top_of_0() -> None:
    x = torch.zeros(1, 1, 16, 16)
    with pytest.raises(ModelFileError, match="vae"):
        predict(x, VAE(16, 1, width=4))
    with pytest.raises(ParameterError):
        predict(x, "digits", top=0)

"""What is chosen to be labelled next is doubtful, and of every kind."""

from __future__ import annotations

import math

import pytest
import torch

from danqing.maths.label_choice import doubt, uncertainty, worth_labelling


def test_uncertainty_is_the_share_of_the_highest_entropy() -> None:
    chances = torch.tensor([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0, 0]])
    assert uncertainty(chances).tolist() == pytest.approx([0, 1, 0.5])


def test_one_of_each_kind_comes_before_a_second_and_what_is_certain_last() -> None:
    rng = torch.Generator().manual_seed(0)
    features = torch.eye(4).repeat_interleave(5, 0) + 0.01 * torch.rand(20, 4, generator=rng)
    unsure = 0.5 + 0.1 * torch.rand(20, generator=rng)
    unsure[15:] = 0
    chosen = worth_labelling(features, unsure, 20)
    assert {at // 5 for at in chosen[:3]} == {0, 1, 2}
    assert chosen[0] == int(unsure.argmax())
    assert sorted(chosen) == list(range(20))
    assert worth_labelling(features, unsure, 3) == chosen[:3]


def test_a_picture_is_as_doubtful_as_its_most_doubtful_thing() -> None:
    assert doubt(torch.tensor([0.5, 1.0])) == pytest.approx(1)
    assert doubt(torch.tensor([0.9, 0.99])) == pytest.approx(-(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1)))
    assert doubt(torch.tensor([])) == 0

"""Scores of what was found: closed forms, and that they need not be taken on trust."""

from __future__ import annotations

import math

import pytest
import torch

from danqing.core.pictures.found import Found, Spot, Thing
from danqing.maths.boxes import kept, overlaps
from danqing.maths.found_scores import Pair, correct_points, intersection, precision, similarity, with_interval

DOG = Thing("dog", (10.0, 10.0, 30.0, 30.0))


def pair(*found: Thing, there: tuple[Thing, ...] = (DOG,)) -> Pair:
    return Pair(Found(60, 50, found), Found(60, 50, there))


def test_what_is_there_scores_1_and_nothing_0() -> None:
    assert precision([pair(DOG)] * 3) == pytest.approx(1)
    assert precision([pair()] * 3) == 0
    assert math.isnan(precision([pair(there=())]))


def test_precision_by_hand() -> None:
    """An overlap of 0.6 counts at 0.5, 0.55 and 0.6: 3 of 10; a surer false box in a picture halves it."""
    near = Thing("dog", (10.0, 10.0, 30.0, 22.0), 0.9)
    assert precision([pair(near)]) == pytest.approx(0.3)
    assert precision([pair(near)], threshold=0.5) == pytest.approx(1)
    false = Thing("dog", (40.0, 40.0, 50.0, 50.0), 0.95)
    assert precision([pair(false, DOG._replace(score=0.5))], threshold=0.5) == pytest.approx(0.5)


def test_intersection_by_hand() -> None:
    mask = torch.zeros(50, 60, dtype=torch.bool)
    mask[10:30, 10:30] = True
    half = mask.clone()
    half[20:] = False
    there = (DOG._replace(mask=mask),)
    assert intersection([pair(DOG._replace(mask=half), there=there)]) == pytest.approx(0.5)


def test_points_by_hand() -> None:
    there = (DOG._replace(points=(Spot("eye", 15, 15), Spot("tail", 28, 28))),)
    found = DOG._replace(points=(Spot("eye", 15, 18.9), Spot("tail", 28, 20)))
    assert correct_points([pair(found, there=there)]) == 0.5
    assert correct_points([pair(there=there)]) == 0
    exact = similarity([pair(there[0], there=there)])
    assert exact == pytest.approx(1)
    off = math.exp(-(3.9**2) / (2 * 400 * 0.01)), math.exp(-(8**2) / (2 * 400 * 0.01))
    assert similarity([pair(found, there=there)]) == pytest.approx(sum(off) / 2)


def test_an_interval_holds_its_value_and_is_narrow_where_all_are_alike() -> None:
    row = with_interval(lambda pairs: precision(pairs, threshold=0.5), [pair(DOG)] * 6 + [pair()] * 6)
    assert row["value"] == pytest.approx(0.5, abs=0.02)
    assert row["low"] < row["value"] < row["high"]
    same = with_interval(precision, [pair(DOG)] * 6)
    assert same["low"] == same["high"] == pytest.approx(1)


def test_overlap_and_suppression() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10], [2, 2, 4, 4]])
    assert overlaps(boxes[:1], boxes)[0].tolist() == pytest.approx([1, 0.8, 0, 0.04])
    scores = torch.tensor([0.5, 0.9, 0.7, 0.6])
    assert kept(boxes, scores, 0.7).tolist() == [1, 2, 3]
    assert kept(boxes, scores, 0.7, inner=True).tolist() == [1, 2]
    assert kept(boxes, scores, 0.7, groups=torch.tensor([0, 1, 0, 0])).tolist() == [1, 2, 3, 0]


def test_a_thing_of_no_area_is_scored_and_not_divided_by() -> None:
    thing = Thing("dog", (5.0, 5.0, 5.0, 9.0), points=(Spot("nose", 5.0, 5.0),))
    pair = Pair(Found(40, 30, (thing,)), Found(40, 30, (thing,)))
    assert [score([pair]) for score in (similarity, correct_points)] == [0.0, 0.0]

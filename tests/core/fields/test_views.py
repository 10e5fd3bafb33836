"""Values in a part of a picture, or a small one, mean what they meant in the picture."""

from __future__ import annotations

import random

import pytest
import torch

from danqing.core.errors import PictureError
from danqing.core.fields.box import BoxKind, Rectangle
from danqing.core.fields.boxes import BoxesKind
from danqing.core.fields.corners import CornersKind
from danqing.core.fields.form import kinds
from danqing.core.fields.kind import Kind, View
from danqing.core.fields.number import NumberKind, Range
from danqing.core.fields.point import PointKind
from danqing.core.pictures.found import Found, Spot, Thing, from_json

PLACES = [kind for kind in kinds() if kind.moved is not Kind.moved]


@pytest.mark.parametrize("kind", PLACES, ids=lambda each: each.__name__)
def test_the_picture_itself_moves_nothing(kind: type[Kind]) -> None:
    value = (Found(30, 20),) if kind is BoxesKind else kind().draw(random.Random(3))
    assert kind().moved(value, View(size=(30, 20))) == value


def test_places_in_a_small_picture_and_in_a_part_of_one() -> None:
    half, part = View(scale=0.5, size=(50, 40)), View(10, 20, 1.0, (30, 30))
    assert BoxKind().moved(Rectangle(20, 10, 40, 5), half) == (10, 5, 20, 2)
    assert BoxKind().moved(Rectangle(15, 21, 4, 5), part) == (5, 1, 4, 5)
    assert PointKind().moved((21, 30), half) == (10, 15)
    assert PointKind().moved((21, 30), part) == (11, 10)
    assert CornersKind().moved(((0, 0), (9, 1), (8, 8), (1, 7)), half)[1] == (4.5, 0.5)
    length, share = NumberKind(True, Range(1, 50, "px")), NumberKind(False, Range(0, 1))
    assert (length.moved(9, half), length.moved(1, half), length.moved(9, part)) == (4, 1, 9)
    assert share.moved(0.9, half) == 0.9


def test_what_was_found_is_found_in_the_view() -> None:
    mask = torch.zeros(80, 100, dtype=torch.bool)
    mask[20:40, 10:30] = True
    thing = Thing("dog", (10.0, 20.0, 30.0, 40.0), 0.5, (Spot("nose", 12, 24),), mask)
    found = (Found(100, 80, (thing, Thing("cat", (90.0, 70.0, 99.0, 79.0)))),)
    (small,) = BoxesKind().moved(found, View(scale=0.5, size=(50, 40)))
    assert (small.width, small.height, len(small.things)) == (50, 40, 2)
    assert small.things[0].box == (5, 10, 15, 20)
    assert small.things[0].points[0][1:3] == (6, 12)
    assert small.things[0].mask is not None
    assert small.things[0].mask.equal(mask[::2, ::2])
    (part,) = BoxesKind().moved(found, View(20, 10, 1.0, (40, 25)))
    assert [each.box for each in part.things] == [(0, 10, 10, 25)]
    assert part.things[0].mask is not None
    assert part.things[0].mask.equal(mask[10:35, 20:60])
    assert BoxesKind().moved(found, View(scale=0.5, size=(20, 20))) == found  # of another picture: refused by its size


def test_a_mask_of_a_stranger_cannot_ask_for_all_memory() -> None:
    thing = {"label": "dog", "box": [0, 0, 9, 9], "mask": {"counts": [2**60]}}
    with pytest.raises(PictureError, match="mask"):
        from_json({"width": 2**30, "height": 2**30, "things": [thing]})

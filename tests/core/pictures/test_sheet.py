"""Sheets of several pictures: nearly square, and little left empty."""

from __future__ import annotations

import math

import pytest

from danqing.core.pictures.sheet import near_square


@pytest.mark.parametrize(
    ("count", "columns"),
    [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3), (6, 3), (7, 4), (8, 4), (9, 3), (10, 4), (12, 4), (16, 4), (25, 5),
     (64, 8), (100, 10)],
)  # fmt: skip
def test_few_pictures_make_a_sensible_sheet(count: int, columns: int) -> None:
    assert near_square(count, 32, 32) == columns


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 32), (32, 96), (256, 16)])
def test_no_side_is_more_than_twice_the_other_and_no_row_is_empty(height: int, width: int) -> None:
    for count in range(4, 200):
        columns = near_square(count, height, width)
        rows = math.ceil(count / columns)
        assert 1 <= columns <= count
        assert columns * rows - count < columns
        shapes = {each: each * width / (math.ceil(count / each) * height) for each in range(1, count + 1)}
        assert 0.5 <= shapes[columns] <= 2 or not any(0.5 <= each <= 2 for each in shapes.values())

"""crop cuts exactly the box that is asked for, and refuses one that leaves the picture."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import crop
from danqing.core.errors import ParameterError


def test_it_cuts_the_box(chelsea: Tensor) -> None:
    part = crop(chelsea, left=40, top=20, width=64, height=48)
    assert torch.equal(part, chelsea[:, :, 20:68, 40:104])


def test_a_side_not_given_goes_to_the_border(chelsea: Tensor) -> None:
    assert torch.equal(crop(chelsea, left=440, top=299), chelsea[:, :, 299:, 440:])
    assert torch.equal(crop(chelsea), chelsea)


def test_a_picture_of_one_pixel_can_be_cut() -> None:
    assert crop(torch.ones(1, 1, 1, 1), width=1, height=1).shape == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ({"left": 400, "width": 52}, r"width: 400 \+ 52 px .* width is 451 px. At most 51 from left 400"),
        ({"top": 10, "height": 291}, r"height: 10 \+ 291 px .* height is 300 px. At most 290 from top 10"),
        ({"left": 451}, r"left: 451 px .* width is 451 px. At most 450"),
        ({"top": 9999, "height": 1}, r"top: 9999 px .* height is 300 px"),
    ],
)
def test_a_box_outside_is_refused_with_the_size_named(box: dict[str, int], words: str, chelsea: Tensor) -> None:
    with pytest.raises(ParameterError, match=words):
        crop(chelsea, **box)


def test_the_part_does_not_keep_the_whole_in_memory(chelsea: Tensor) -> None:
    assert crop(chelsea, width=2, height=2).untyped_storage().nbytes() == 2 * 2 * 3 * 4

"""Parts that tell of a picture: where they lie, and where there is no room for them."""

import torch

from danqing.maths.parts import parts_of


def test_nine_parts_are_spread_over_a_large_picture() -> None:
    x = torch.arange(100.0 * 200).view(1, 1, 100, 200)
    parts = parts_of(x, 20)
    assert parts.shape == (9, 1, 20, 20)
    assert torch.equal(parts[0], x[0, :, :20, :20])
    assert torch.equal(parts[4], x[0, :, 40:60, 90:110])
    assert torch.equal(parts[8], x[0, :, 80:, 180:])


def test_of_a_strip_three_parts_are_as_high_as_it_is_and_a_small_picture_is_one_part() -> None:
    assert parts_of(torch.rand(1, 3, 40, 2000), 20).shape == (3, 3, 40, 20)
    assert parts_of(torch.rand(1, 3, 2000, 40), 20).shape == (3, 3, 20, 40)
    x = torch.rand(1, 3, 59, 59)
    assert torch.equal(parts_of(x, 20), x)

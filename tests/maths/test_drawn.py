"""What was drawn or set is told from what a camera took."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import add_jpeg
from danqing.maths.colour import brightness
from danqing.maths.drawn import drawn


@pytest.mark.parametrize("name", ["page", "cartoon"])
def test_pages_and_cartoons_are_drawn(name: str, request: pytest.FixtureRequest) -> None:
    x = request.getfixturevalue(name)
    assert bool(drawn(x))
    assert bool(drawn(brightness(x)))


def test_a_drawing_is_one_when_it_was_compressed_too(cartoon: Tensor) -> None:
    assert bool(drawn(add_jpeg(cartoon, quality=92)))


def test_photographs_are_not(astronaut: Tensor, chelsea: Tensor, camera: Tensor) -> None:
    for x in (astronaut, chelsea, camera, brightness(chelsea)):
        framed = torch.nn.functional.pad(x, (300, 300, 300, 300), value=1.0)
        for spoilt in (x, x * 0.3, 0.4 + 0.3 * x, framed, (x * 1.5).clamp(0, 1)):
            assert not bool(drawn((spoilt * 255).round() / 255))


def test_noise_on_paper_is_no_drawing(page: Tensor) -> None:
    x = page * 0.9
    assert not bool(drawn((x + 0.02 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)))


def test_the_smallest_and_the_plain_tell_nothing() -> None:
    assert drawn(torch.rand(2, 3, 1, 1)).tolist() == [True, True]
    assert drawn(torch.full((1, 1, 20, 30), 0.4)).tolist() == [True]


def test_what_is_not_seen_does_not_count(chelsea: Tensor, page: Tensor) -> None:
    x = torch.cat([chelsea[..., :160, :240], page], -1)
    seen = torch.zeros(1, 160, 480, dtype=torch.bool)
    seen[..., 240:] = True
    assert bool(drawn(x, seen))
    assert not bool(drawn(x, ~seen))

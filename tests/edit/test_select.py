"""select marks the object or the colour that is meant."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import select
from danqing.core.errors import ParameterError


def share(mask: Tensor, rows: slice, columns: slice) -> float:
    return float(mask[0, 0, rows, columns].mean())


def test_a_head_is_cut_out_of_its_box(astronaut: Tensor) -> None:
    mask = select(astronaut, box="140,5,180,200")
    assert share(mask, slice(40, 140), slice(190, 260)) > 0.97  # hair and face
    assert share(mask, slice(0, 200), slice(320, 512)) == 0  # beyond the box
    assert share(mask, slice(10, 60), slice(285, 318)) < 0.1  # the wall in the box
    assert set(mask.unique().tolist()) == {0.0, 1.0}


def test_strokes_say_what_belongs_to_it(astronaut: Tensor) -> None:
    x = astronaut[..., :210, 120:340]
    head, wall = torch.zeros(2, 1, 1, 210, 220)
    head[..., 30:120, 95:100] = 1
    wall[..., 5:10, 150:210] = 1
    mask = select(x, mask=head, outside=wall)
    assert bool((mask[head > 0] == 1).all())
    assert bool((mask[wall > 0] == 0).all())
    assert share(mask, slice(40, 130), slice(75, 130)) > 0.95


def test_a_colour_or_a_point_with_its_surroundings() -> None:
    x = torch.full((1, 3, 40, 60), 0.2)
    x[:, 0, 5:15, 5:15] = x[:, 0, 20:30, 40:55] = 0.9
    assert int(select(x, colour=(0.9, 0.2, 0.2)).sum()) == 100 + 150
    assert int(select(x, colour="e63333", box="0,0,20,20").sum()) == 100
    assert int(select(x, point="45,25").sum()) == 150
    assert int(select(x, colour=(0.0, 1.0, 0.0)).sum()) == 0
    extra = torch.zeros(1, 1, 40, 60)
    extra[..., 0, 0] = 1
    assert int(select(x, point="45,25", mask=extra).sum()) == 151
    assert int(select(x, point="45,25", outside=select(x, point="45,25")).sum()) == 0


def test_without_anything_it_is_what_stands_in_the_middle() -> None:
    x = torch.full((1, 3, 80, 100), 0.3)
    x[:, 0, 25:55, 30:70] = 0.8
    x = (x + 0.02 * torch.randn(1, 3, 80, 100, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    mask = select(x)
    assert share(mask, slice(25, 55), slice(30, 70)) > 0.95
    assert float(mask.mean()) == pytest.approx(30 * 40 / 8000, rel=0.1)


def test_bad_input_is_refused(chelsea: Tensor) -> None:
    for values in ({"box": "400,0,100,100"}, {"box": "1,2"}, {"point": "451,0"}, {"mask": torch.zeros(1, 1, 4, 4)}):
        with pytest.raises(ParameterError, match=rf"^{next(iter(values))}: "):
            select(chelsea, **values)

"""Files as cameras and messengers write them: their blocks, their colours and their earlier lives."""

from __future__ import annotations

import torch
from skimage import data
from torch import Generator, Tensor

from danqing.maths.degradation import jpeg
from danqing.maths.messengers import CHROMAS, CUT, TWICE, messaged


def photographs(count: int) -> Tensor:
    photo = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None] / 255
    return photo[..., 100:148, 150:198].repeat(count, 1, 1, 1).contiguous()


def test_some_are_plain_files_and_no_two_need_be_alike() -> None:
    x = photographs(64)
    y = messaged(x, torch.full((64,), 30.0), Generator().manual_seed(0))
    assert torch.equal(y, messaged(x, torch.full((64,), 30.0), Generator().manual_seed(0)))
    plain = [jpeg(x[:1], torch.tensor([30.0]), chroma) for chroma in CHROMAS]
    once = sum(any(torch.equal(each[None], one) for one in plain) for each in y)
    expected = 64 * (1 - TWICE) * (1 - CUT)
    assert abs(once - expected) < 4 * (expected * (1 - expected / 64)) ** 0.5  # four standard deviations


def test_each_has_its_own_quality() -> None:
    x = photographs(32)
    y = messaged(x, torch.tensor([10.0, 90.0]).repeat(16), Generator().manual_seed(1))
    error = (y - x).square().mean((1, 2, 3))
    assert error[::2].min() > error[1::2].max()


def test_blocks_may_begin_anywhere() -> None:
    """A step along a block's edge is larger than elsewhere; where that edge lies differs."""
    slope = torch.linspace(0.3, 0.7, 64).expand(64, 3, 64, 64).contiguous()
    y = messaged(slope, torch.full((64,), 10.0), Generator().manual_seed(2))
    steps = (y[..., 1:] - y[..., :-1]).abs().mean((1, 2))[:, 7:55].view(64, 6, 8).mean(1)
    assert len(set(steps.argmax(1).tolist())) > 3

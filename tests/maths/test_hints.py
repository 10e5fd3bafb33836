"""Hints spread to the edges of the picture and no farther."""

from __future__ import annotations

import torch

from danqing.maths.hints import spread


def test_a_hint_fills_its_own_side_of_an_edge() -> None:
    guide = torch.zeros(1, 1, 20, 40)
    guide[..., 20:] = 0.8
    mask, told = torch.zeros(1, 1, 20, 40), torch.zeros(1, 2, 20, 40)
    mask[..., 9:11, 9:11], told[:, 0, 9:11, 9:11], told[:, 1, 9:11, 9:11] = 1, 0.3, -0.1
    made = spread(told, mask, guide)
    assert made[0, 0, :, :19].min() > 0.1
    assert made[0, 0, :, 21:].abs().max() < 0.01
    torch.testing.assert_close(made[0, 1], -made[0, 0] / 3, atol=1e-6, rtol=0)
    torch.testing.assert_close(made[0, 0, 9:11, 9:11], told[0, 0, 9:11, 9:11], atol=0.01, rtol=0)


def test_no_hint_says_nothing() -> None:
    assert spread(torch.ones(1, 3, 5, 6), torch.zeros(1, 1, 5, 6), torch.rand(1, 1, 5, 6)).abs().max() == 0

"""Only wide holes in texture are filled with patches."""

from __future__ import annotations

import torch
from torch import Generator

from danqing.maths.roughness import through_texture


def test_wide_holes_in_texture_are_told_from_lines_and_from_plain_ground() -> None:
    x = torch.full((1, 1, 80, 120), 0.5)
    x[..., 60:] += 0.2 * torch.randn(1, 1, 80, 60, generator=Generator().manual_seed(0))
    holes = torch.zeros(1, 1, 80, 120)
    holes[..., 20:34, 10:24] = 1  # wide, on plain ground
    holes[..., 20:34, 80:94] = 1  # wide, in texture
    holes[..., 60:62, 70:110] = 1  # a line, in texture
    expected = torch.zeros_like(holes)
    expected[..., 20:34, 80:94] = 1
    assert torch.equal(through_texture(x.clamp(0, 1), holes), expected)

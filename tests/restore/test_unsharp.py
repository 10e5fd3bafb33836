"""unsharp is the picture plus a multiple of what the blur takes away."""

from __future__ import annotations

import pytest
import torch
from skimage.filters import unsharp_mask
from torch import Tensor

from danqing import unsharp


@pytest.mark.parametrize(("radius", "strength"), [(0.7, 1.0), (2.0, 0.5), (5.0, 2.5)])
def test_it_agrees_with_scikit_image(radius: float, strength: float, chelsea: Tensor) -> None:
    picture = chelsea[0].permute(1, 2, 0).contiguous().numpy()
    expected = torch.from_numpy(unsharp_mask(picture, radius, strength, channel_axis=2)).permute(2, 0, 1)
    sharp = unsharp(chelsea, radius=radius, strength=strength)[0]
    inner = slice(20, -20)  # beyond the border scikit-image repeats the last pixel, we mirror
    torch.testing.assert_close(sharp[:, inner, inner], expected[:, inner, inner], rtol=0, atol=1e-5)


def test_no_strength_changes_nothing(astronaut: Tensor) -> None:
    assert torch.equal(unsharp(astronaut, strength=0.0), astronaut)


def test_plain_places_and_their_mean_stay() -> None:
    edge = torch.full((1, 1, 40, 60), 0.3)
    edge[..., 30:] = 0.6
    sharp = unsharp(edge, radius=2.0, strength=0.5)
    torch.testing.assert_close(sharp[..., :20], edge[..., :20])
    torch.testing.assert_close(sharp.mean(), edge.mean())
    assert sharp.max() > 0.62
    assert sharp.min() < 0.28


def test_differences_below_the_threshold_are_left_alone() -> None:
    x = 0.5 + 0.01 * torch.randn(1, 3, 50, 50, generator=torch.Generator().manual_seed(0))
    assert torch.equal(unsharp(x, strength=2.0, threshold=20.0), x)
    assert not torch.equal(unsharp(x, strength=2.0, threshold=1.0), x)

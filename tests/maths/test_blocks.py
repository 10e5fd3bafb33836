"""Blocks are transformed, found and laid back as a loop over them would do it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing.maths.bases import cosine, plane, spline_wavelet
from danqing.maths.blocks import GRID, alike, coefficients, overlaid


def picture(channels: int, height: int, width: int) -> Tensor:
    return torch.rand(channels, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 8, 8), (3, 8, 30), (1, 50, 11), (3, 71, 20)])
def test_coefficients_are_those_of_each_block(channels: int, height: int, width: int) -> None:
    x, basis = picture(channels, height, width), plane(spline_wavelet(8)).float()
    room = torch.empty(height * width, channels * 64)
    found = coefficients(x, basis, room)
    assert found.data_ptr() == room.data_ptr()
    places = [(y, x) for y in range(height - 7) for x in range(width - 7)]
    expected = [[basis @ channel[y : y + 8, left : left + 8].flatten() for channel in x] for y, left in places]
    torch.testing.assert_close(found, torch.stack([torch.cat(each) for each in expected]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("basis", [cosine(4), spline_wavelet(4)], ids=["cosine", "spline"])
@pytest.mark.parametrize(("channels", "height", "width"), [(1, 4, 4), (3, 40, 9)])
def test_blocks_laid_back_give_the_picture(basis: Tensor, channels: int, height: int, width: int) -> None:
    """Whatever the weights and the window: the mean of the same values is that value."""
    x, basis = picture(channels, height, width), plane(basis).float()
    blocks = coefficients(x, basis, torch.empty(height * width, channels * 16))
    rng = torch.Generator().manual_seed(1)
    weights, window = torch.rand(len(blocks), channels, generator=rng) + 0.1, torch.rand(4, 4, generator=rng) + 0.1
    total = (blocks.view(len(blocks), channels, 16) * weights[..., None]).flatten(1)
    sums, norm = overlaid(total, weights, torch.linalg.inv(basis), window, width - 3)
    torch.testing.assert_close(sums / norm, x, rtol=0, atol=1e-5)
    assert float(norm[0, 0, 0]) == pytest.approx(float(weights[0, 0] * window[0, 0]))


@pytest.mark.parametrize(("height", "width", "step", "radius"), [(9, 9, 4, 12), (33, 40, 4, 6), (17, 50, 3, 5)])
def test_the_nearest_of_the_neighbourhood_are_found(height: int, width: int, step: int, radius: int) -> None:
    x = picture(5, height, width).permute(1, 2, 0).contiguous()
    found = alike(x, slice(0, height), 8, step, radius).T
    seen = set()
    for group in found.tolist():
        y, left = divmod(group[0], width)
        seen.add((y, left))
        unlike = (x - x[y, left]).square().sum(2).flatten()
        assert unlike[group].tolist() == sorted(unlike[group].tolist())  # nearest first, the first being itself
        near = torch.full((height, width), torch.inf)
        inside = (slice(max(y - radius, 0), y + radius + 1), slice(max(left - radius, 0), left + radius + 1))
        near[inside] = unlike.view(height, width)[inside]
        assert unlike[group[-1]] <= near.flatten().sort()[0][7] + 1e-5  # as good as within the radius at least
        for other in group:
            down, right = abs(other // width - y), abs(other % width - left)
            assert max(down, right) <= radius + (GRID - 1) * step
    ends = {(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)}
    assert ends <= seen
    assert {y for y, _ in seen} == {min(y, height - 1) for y in range(0, height + step - 1, step)}


def test_a_block_is_in_its_own_group_where_all_are_the_same() -> None:
    found = alike(torch.ones(20, 30, 4), slice(4, 17), 8, 4, 6)
    assert {place // 30 for place in found[0].tolist()} == {4, 8, 12, 16}
    assert bool(((found >= 0) & (found < 600)).all())
    assert all(len(set(group)) == 8 for group in found.T.tolist())

"""How patches vote for a pixel, against the sum written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from danqing.maths.regrowing import SPREAD, VOTES, voted

SOURCE, SIZE = (30, 41), (19, 23)


@pytest.mark.parametrize("radius", [2, 8])
def test_a_pixel_is_the_weighted_mean_of_what_each_patch_over_it_puts_there(radius: int) -> None:
    rng = np.random.default_rng(0)
    source = rng.random((*SOURCE, 3), np.float32)
    ends = [side - radius for side in SOURCE]
    field = np.stack([rng.integers(radius, end, SIZE) for end in ends], -1)
    reach = range(-radius, radius + 1)
    expected = np.zeros((*SIZE, 3))
    for row, column in np.ndindex(SIZE):
        votes = {(down, right): math.exp(-(down**2 + right**2) / (2 * SPREAD**2)) for down in reach for right in reach}
        for (down, right), weight in votes.items():
            match = field[(row - down) % SIZE[0], (column - right) % SIZE[1]]
            expected[row, column] += weight / sum(votes.values()) * source[match[0] + down, match[1] + right]
    left_out = 4 * (2 * radius + 1) * math.exp(-((VOTES + 1) ** 2) / (2 * SPREAD**2))  # by who votes from further off
    assert np.abs(voted(source, field, radius, wrapped=True) - expected).max() < left_out + 1e-6

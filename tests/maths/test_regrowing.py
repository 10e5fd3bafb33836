"""New pictures from one: nothing in them is invented, tiles meet, and sizes are as asked."""

import numpy as np
import pytest

from danqing.core.progress import finish
from danqing.maths.regrowing import levels_of, regrown, resized, searched, shuffled, voted


def stripes(side=48, period=8):
    """Stripes that no straight cut of another period continues."""
    wave = (np.arange(side) % period < period / 2).astype(np.float32)
    return np.broadcast_to(0.2 + 0.6 * wave[:, None, None], (side, side, 1)).copy()


def grown(source, size, wrapped=True, seed=0, guesses=None):
    rng = np.random.default_rng(seed)
    first = [shuffled(source, size, rng)] if guesses is None else guesses
    return finish(regrown(source, first, size, wrapped, 3, rng))


def test_the_picture_from_itself_is_itself():
    source = np.random.default_rng(0).random((40, 52, 3)).astype(np.float32)
    rows, columns = np.mgrid[:40, :52]
    field = np.stack([rows.clip(3, 36), columns.clip(3, 48)], -1)
    np.testing.assert_allclose(voted(source, field, 3, False), source, atol=1e-5)
    better = searched(source, source, field, 3, False, np.random.default_rng(1))
    np.testing.assert_array_equal(better[3:-3, 3:-3], field[3:-3, 3:-3])


@pytest.mark.parametrize("size", [(48, 64), (37, 90), (16, 16)])
def test_sizes_are_as_asked_and_values_stay_in_range(size):
    made = grown(stripes(), size)
    assert made.shape == (*size, 1)
    assert made.dtype == np.float32
    assert 0 <= made.min() <= made.max() <= 1


def test_opposite_edges_meet():
    source = np.random.default_rng(3).random((64, 64, 1)).astype(np.float32)
    smooth = resized(resized(source, (16, 16)), (64, 64))
    made = grown(smooth, (48, 48))
    seam, inside = np.abs(made[0] - made[-1]).mean(), np.abs(np.diff(made, axis=0)).mean()
    far = np.abs(made[0] - made[24]).mean()
    assert seam < 2 * inside < far


def test_what_is_grown_looks_like_the_source_everywhere():
    """Every window of the result is near to one of the source, nearer than to what it began with by far."""
    made = grown(stripes(), (64, 64), wrapped=True)
    levels = np.sort(made.ravel())
    assert np.abs(levels[:, None] - np.array([0.2, 0.8])).min(1).mean() < 0.05  # two greys, hardly any between
    assert abs(made.mean() - 0.5) < 0.1


def test_a_seed_fixes_it():
    assert np.array_equal(grown(stripes(), (32, 32), seed=1), grown(stripes(), (32, 32), seed=1))


def test_levels_end_where_little_is_left():
    assert levels_of((20, 300)) == [1.0]
    assert min(256, 300) * levels_of((256, 300))[-1] <= 24 < 256 * levels_of((256, 300))[-2]

"""Sets that are compared are drawn independently."""

import numpy as np
import pytest
import torch

from danqing.maths.drawing import classes_as_in, led_by, stream
from danqing.maths.statistics import kernel_distance

LABELS = np.repeat(np.arange(4), (40, 30, 20, 10))


def test_streams_of_one_seed_share_nothing():
    assert stream(3, "train").permutation(50).tolist() == stream(3, "train").permutation(50).tolist()
    assert stream(3, "train").permutation(50).tolist() != stream(3, "reference").permutation(50).tolist()


@pytest.mark.parametrize("fixed", [0, 100])
def test_classes_occur_as_often_as_in_the_data_and_vary_as_chance_has_it(fixed):
    counts = np.stack([np.bincount(classes_as_in(LABELS, 100, stream(s, ""), fixed), minlength=4) for s in range(400)])
    assert counts.mean(0) == pytest.approx([40, 30, 20, 10], abs=1)
    binomial = np.array([24, 21, 16, 9])
    assert counts.var(0) == pytest.approx(binomial * (2 if fixed else 1), rel=0.3)


def test_an_order_is_led_by_the_wanted_classes_and_holds_every_picture_once():
    wanted = classes_as_in(LABELS, 30, stream(0, "a"))
    order = led_by(LABELS, wanted, stream(0, "b"))
    assert sorted(order) == list(range(100))
    assert LABELS[order[:30]].tolist() == wanted.tolist()
    short = led_by(LABELS, np.full(12, 3), stream(0, "b"))  # there are ten
    assert sorted(short) == list(range(100))
    assert (LABELS[short[:10]] == 3).all()


def _distance(fixed: int, seed: int) -> float:
    """The kernel distance of two sets of one distribution; the classes of the second are just as in the data."""
    rng = torch.Generator().manual_seed(seed)
    centres = 3 * torch.eye(4)
    classes = [torch.from_numpy(each) for each in (classes_as_in(LABELS, 100, stream(seed, ""), fixed), LABELS)]
    one, other = (centres[each] + torch.randn(len(each), 4, generator=rng) for each in classes)
    return kernel_distance(one, other).value


def test_shares_that_vary_take_the_bias_away_that_fixed_shares_bring():
    biased, fair = (torch.tensor([_distance(fixed, seed) for seed in range(300)]) for fixed in (0, 100))
    assert biased.mean() < -3 * biased.std() / 300**0.5
    assert fair.mean().abs() < 3 * fair.std() / 300**0.5

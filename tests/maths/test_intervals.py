"""Intervals hold the truth, by simulation, and have their closed forms."""

import functools

import numpy as np
import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d

from danqing.data.digits import digits
from danqing.maths.intervals import Estimate, around, groups_of, jackknife_error, jackknifed_share, share_of
from danqing.maths.scores import METRICS, About, Seen, Sets, rows

DRAWS, SIZE = 200, 60
KNOWN = {"frechet_distance": 0.0, "kernel_distance": 0.0, "fid": 0.0, "kid": 0.0}  # between sets that are drawn alike


@functools.cache
def everything():
    """All built-in digits in 16 features, and how like the mean digit of each class they are."""
    pictures, labels = (torch.from_numpy(part.copy()) for part in digits())
    features = adaptive_avg_pool2d(pictures[:, None] / 255, 4).flatten(1)
    means = torch.stack([features[labels == digit].mean(0) for digit in range(10)])
    return Seen(features, (-20 * torch.cdist(features, means).square()).softmax(1), labels)


def real_against_real(metric, official, seed):
    """Value, low and high of each score of one draw; no picture is in two sets."""
    order = torch.randperm(10_000, generator=torch.Generator().manual_seed(seed))
    samples, reference, train = (everything().part(each) for each in order[: 5 * SIZE].split([SIZE, SIZE, 3 * SIZE]))
    about = About(tuple(map(str, range(10))), official)
    found = rows(Sets(samples, reference, train, held_out=True), [metric], about, seed)
    return {row["score"]: (row["value"], row["low"], row["high"]) for row in found}


@pytest.mark.parametrize(("metric", "official"), [*((metric, False) for metric in METRICS), ("score", True)])
def test_intervals_of_real_against_real_hold_the_truth(metric, official):
    draws = [real_against_real(metric, official, seed) for seed in range(DRAWS)]
    held = {}
    for name in sorted({name for draw in draws for name in draw}):
        value, low, high = np.array([draw[name] for draw in draws if name in draw]).T
        truth = KNOWN.get(name, value.mean())
        held.setdefault(name.partition(" of ")[0] + " of a class" * (" of " in name), []).extend(
            (low <= truth) & (truth <= high)
        )
    for name, each in held.items():
        assert np.mean(each) >= 0.9, name


def test_the_share_of_independent_pictures_has_the_exact_interval():
    assert share_of(torch.ones(20)).interval() == pytest.approx((0.025 ** (1 / 20), 1))
    assert share_of(torch.zeros(20)).interval() == pytest.approx((0, 1 - 0.025 ** (1 / 20)))
    estimate = share_of(torch.arange(10) < 3)
    assert (estimate.value, estimate.pictures) == (0.3, 10)
    assert estimate.interval() == pytest.approx((0.0667395, 0.6524529), abs=1e-6)  # Clopper & Pearson's own table


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = torch.arange(40, dtype=torch.float64) ** 1.5
    without = (values.sum() - values) / 39
    assert jackknife_error(without) == pytest.approx(values.std().item() / 40**0.5)


def test_a_share_stays_within_0_and_1_and_around_itself():
    for value in (0.0, 0.01, 0.5, 0.99, 1.0):
        low, high = jackknifed_share(value, 100, torch.linspace(value - 0.02, value + 0.02, 20))
        assert 0 <= low <= value <= high <= 1
        assert low < high


def test_dependent_pictures_widen_the_interval_of_a_share_and_never_narrow_it():
    narrow = jackknifed_share(0.5, 100, torch.full((20,), 0.5))
    wide = jackknifed_share(0.5, 100, torch.linspace(0.4, 0.6, 20))
    assert narrow[0] == pytest.approx(1 - narrow[1])
    assert 0.5 - narrow[0] >= 1.96 * 0.05
    assert wide[0] < narrow[0] - 0.1


def test_students_interval_is_wider_than_the_normal_one():
    assert around(1.0, 0.5, 19) == pytest.approx((1 - 0.5 * 2.093024, 1 + 0.5 * 2.093024))


def test_groups_are_even_and_drawn():
    groups = groups_of(103, 20, 0)
    assert groups.bincount().tolist() == [6] * 3 + [5] * 17
    assert torch.equal(groups, groups_of(103, 20, 0))
    assert not torch.equal(groups, groups_of(103, 20, 1))


def test_an_interval_is_found_only_where_it_is_asked_for():
    asked = []
    estimate = Estimate(1.0, 5, lambda seed: (asked.append(seed), (0.0, 2.0))[1])
    assert not asked
    assert estimate.interval(4) == (0.0, 2.0)
    assert asked == [4]

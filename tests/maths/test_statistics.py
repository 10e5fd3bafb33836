import json
import math
import runpy
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danqing.core.errors import TooFewPictures
from danqing.maths.neighbours import precision_recall_density_coverage
from danqing.maths.statistics import classifier_score, frechet_distance, gaussian_frechet, kernel_distance, moments

GOLDEN = Path(__file__).parents[1] / "golden"
RECORD = runpy.run_path(str(GOLDEN / "record.py"))
RECORDED = json.loads((GOLDEN / "statistics.json").read_text())


def drawn(count, dim=8, seed=0, mean=0.0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return mean + scale * torch.randn(count, dim, generator=rng, dtype=torch.float64)


def recorded_sets(name):
    return tuple(torch.from_numpy(part) for part in RECORD["features"](name))


@pytest.mark.parametrize("name", RECORDED["sets"])
class TestOthersAgree:
    def test_on_the_frechet_distance(self, name):
        ours, theirs = frechet_distance(*recorded_sets(name)).value, RECORDED["sets"][name]
        assert ours == pytest.approx(theirs["frechet, sqrtm"], rel=1e-9, abs=1e-9)
        assert ours == pytest.approx(theirs["frechet, torchmetrics"], rel=1e-9, abs=1e-9)

    def test_on_the_kernel_distance(self, name):
        a, b = recorded_sets(name)
        size = min(len(a), len(b))
        theirs = RECORDED["sets"][name]["kernel, first M of each"]
        assert kernel_distance(a[:size], b[:size]).value == pytest.approx(theirs, rel=1e-9)

    def test_on_precision_recall_density_and_coverage(self, name):
        theirs = RECORDED["sets"][name]
        for key, ours in precision_recall_density_coverage(*recorded_sets(name), k=theirs["k"]).items():
            assert ours.value == pytest.approx(theirs[key], abs=1e-12), key


def test_the_classifier_score_is_the_inception_score_of_torchmetrics():
    p = torch.from_numpy(RECORD["probabilities"]())
    assert classifier_score(p).value == pytest.approx(RECORDED["inception_score"], rel=1e-10)


class TestFrechet:
    def test_closed_form_for_commuting_covariances(self):
        mean, shift = torch.zeros(3), torch.tensor([1.0, -2.0, 0.5])
        first, second = torch.tensor([1.0, 4.0, 9.0]), torch.tensor([4.0, 4.0, 1.0])
        expected = shift.square().sum() + (first.sqrt() - second.sqrt()).square().sum()
        got = gaussian_frechet(mean, torch.diag(first), mean + shift, torch.diag(second))
        assert got == pytest.approx(expected.item(), rel=1e-12)

    def test_closed_form_in_one_dimension_and_for_singular_covariances(self):
        # a point against a Gaussian: the distance is |shift|² plus the trace
        cov = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
        got = gaussian_frechet(torch.zeros(2), torch.zeros(2, 2), torch.tensor([3.0, 4.0]), cov)
        assert got == pytest.approx(25 + 5, rel=1e-12)

    @settings(max_examples=20)
    @given(st.integers(0, 10**6), st.floats(0.1, 3), st.floats(-2, 2))
    def test_symmetric_invariant_to_turning_and_scales_with_the_square(self, seed, scale, shift):
        a, b = drawn(40, 5, seed), drawn(50, 5, seed + 1, shift, scale)
        value = frechet_distance(a, b).value
        turn = torch.linalg.qr(drawn(5, 5, seed + 2)).Q
        assert frechet_distance(b, a).value == pytest.approx(value, rel=1e-9)
        assert frechet_distance(a @ turn + 7, b @ turn + 7).value == pytest.approx(value, rel=1e-8, abs=1e-9)
        assert frechet_distance(3 * a, 3 * b).value == pytest.approx(9 * value, rel=1e-9)

    def test_zero_to_itself_and_the_square_of_a_shift(self):
        a, shift = drawn(100), torch.arange(8.0)
        assert frechet_distance(a, a).value == pytest.approx(0, abs=1e-12)
        assert frechet_distance(a, a + shift).value == pytest.approx(shift.square().sum().item(), rel=1e-12)

    def test_refuses_a_covariance_without_full_rank_and_says_how_many_it_needs(self):
        with pytest.raises(TooFewPictures, match="at least 9 pictures in each set, not 8"):
            frechet_distance(drawn(100), drawn(8))
        frechet_distance(drawn(9), drawn(9, seed=1))

    def test_a_direction_in_which_nothing_varies_does_no_harm(self):
        a, b = drawn(50), drawn(60, seed=1, mean=0.2)
        flat = torch.zeros(1, 2, dtype=torch.float64)
        wide = [torch.cat([part, flat.expand(len(part), -1)], 1) for part in (a, b)]
        assert frechet_distance(*wide).value == pytest.approx(frechet_distance(a, b).value, rel=1e-9)
        assert all(math.isfinite(end) for end in frechet_distance(*wide).interval())


class TestKernel:
    def test_is_unbiased_around_zero_for_sets_drawn_alike(self):
        values = torch.tensor([kernel_distance(drawn(60, seed=i), drawn(40, seed=1000 + i)).value for i in range(200)])
        assert values.mean().abs() < 3 * values.std() / 200**0.5
        assert (values < 0).sum() > 50

    def test_is_symmetric_and_positive_for_sets_that_differ(self):
        a, b = drawn(80), drawn(50, seed=1, mean=1)
        assert kernel_distance(a, b).value == pytest.approx(kernel_distance(b, a).value, rel=1e-12)
        assert kernel_distance(a, b).value > 1

    def test_closed_form_for_points(self):
        # all of a at 0 and all of b at the vector of ones: k(0, 0) = 1, k(1, 1) = 8, k(0, 1) = 1
        assert kernel_distance(torch.zeros(4, 6), torch.ones(3, 6)).value == pytest.approx(1 + 8 - 2)

    def test_needs_two(self):
        with pytest.raises(TooFewPictures):
            kernel_distance(drawn(1), drawn(5))


class TestClassifierScore:
    def test_runs_from_one_to_the_number_of_classes(self):
        assert classifier_score(torch.eye(10).repeat(5, 1)).value == pytest.approx(10)
        assert classifier_score(torch.full((20, 10), 0.1)).value == pytest.approx(1)
        assert classifier_score(torch.eye(10)[:1].repeat(50, 1)).value == pytest.approx(1)

    def test_splits_average_the_parts(self):
        p = torch.from_numpy(RECORD["probabilities"]())
        parts = [classifier_score(part).value for part in p.split(50)]
        assert classifier_score(p, splits=10).value == pytest.approx(sum(parts) / 10)


class TestInterval:
    @pytest.mark.parametrize("measure", [frechet_distance, kernel_distance])
    def test_is_as_wide_as_the_value_varies_from_draw_to_draw(self, measure):
        # sets 300 × 8 of different spread: half the width of the interval against the spread of 80 fresh draws
        found = [measure(drawn(300, seed=i), drawn(300, seed=500 + i, mean=0.3, scale=1.2)) for i in range(80)]
        spread = torch.tensor([estimate.value for estimate in found]).std()
        above = torch.tensor([estimate.interval()[1] - estimate.value for estimate in found]).mean()
        assert 1.6 * spread < above < 3 * spread  # 1.96 of a normal figure

    def test_of_a_frechet_distance_holds_the_value_and_what_endless_pictures_have(self):
        for shift in (0.0, 0.2, 2.0):
            estimate = frechet_distance(drawn(60), drawn(80, seed=1, mean=shift))
            low, high = estimate.interval()
            assert 0 <= low < 8 * shift**2 + 1e-9 < high
            assert low < estimate.value < high

    def test_is_fixed_by_its_seed(self):
        estimate = frechet_distance(drawn(60), drawn(60, seed=1, mean=1))
        assert estimate.interval(3) == estimate.interval(3) != estimate.interval(4)

    def test_of_several_parts_is_that_of_a_mean(self):
        p = torch.rand(100, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        p = p / p.sum(1, keepdim=True)
        parts = torch.tensor([classifier_score(part).value for part in p.split(10)])
        low, high = classifier_score(p, splits=10).interval()
        assert high - low == pytest.approx(2 * 2.262157 * parts.std().item() / 10**0.5)


def test_moments_are_those_of_numpy():
    a = drawn(40)
    mean, cov = moments(a.float())
    assert torch.allclose(mean, a.float().double().mean(0))
    assert torch.allclose(cov, torch.cov(a.float().double().T))

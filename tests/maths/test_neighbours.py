"""Nearest neighbours and the scores that ask for them; what other programs find is in test_statistics."""

import pytest
import torch

from danqing.core.errors import ParameterError, TooFewPictures
from danqing.maths import neighbours
from danqing.maths.intervals import GROUPS, groups_of
from danqing.maths.neighbours import copied_share, nearest, precision_recall_density_coverage


def drawn(count, dim=8, seed=0, mean=0.0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return mean + scale * torch.randn(count, dim, generator=rng, dtype=torch.float64)


class TestNeighbours:
    def test_are_those_of_a_sort_across_blocks(self):
        a, b = drawn(1500, 3), drawn(70, 3, seed=1)
        distances, indices = nearest(a, b, 4)
        direct = (a[:, None] - b).norm(dim=2).sort(1)
        assert torch.equal(indices, direct.indices[:, :4])
        assert torch.allclose(distances, direct.values[:, :4], atol=1e-9)

    def test_a_row_is_no_neighbour_of_itself_unless_it_occurs_twice(self):
        a = drawn(1100, 3)
        assert (nearest(a, a, others=True)[1].squeeze() != torch.arange(1100)).all()
        assert nearest(torch.cat([a, a]), torch.cat([a, a]), others=True)[0].max() < 1e-6

    def test_refuses_too_few_and_unequal_dimensions(self):
        with pytest.raises(TooFewPictures, match="at least 4"):
            nearest(drawn(3), drawn(3), 3, others=True)
        with pytest.raises(ParameterError, match="differ in dimension"):
            nearest(drawn(3), drawn(3, 4))


class TestPrecisionRecallDensityCoverage:
    def test_are_one_for_identical_sets_even_with_duplicates(self):
        a = drawn(30)
        for real in (a, torch.cat([a] * 7)):
            values = precision_recall_density_coverage(real, real.clone(), k=5)
            assert values["precision"].value == values["recall"].value == values["coverage"].value == 1

    def test_are_zero_for_sets_far_apart(self):
        values = precision_recall_density_coverage(drawn(50), drawn(50, seed=1, mean=100))
        assert [estimate.value for estimate in values.values()] == [0, 0, 0, 0]

    def test_collapse_keeps_precision_and_loses_coverage_and_recall(self):
        real = drawn(400, 2)
        collapsed = 0.05 * drawn(400, 2, seed=1)
        values = precision_recall_density_coverage(real, collapsed)
        assert values["precision"].value > 0.95
        assert values["coverage"].value < 0.2
        assert values["recall"].value < 0.05

    def test_one_far_real_picture_inflates_precision_and_not_density(self):
        real = torch.cat([drawn(200, 2), torch.full((1, 2), 300.0, dtype=torch.float64)])
        fake = drawn(200, 2, seed=1, mean=8)
        values = precision_recall_density_coverage(real, fake)
        assert values["precision"].value > 0.9
        assert values["density"].value < 0.25

    def test_a_part_has_the_coverage_of_its_own_pictures(self):
        real, fake = drawn(60), drawn(50, seed=1)
        some = torch.arange(60) < 20
        values = precision_recall_density_coverage(real, fake, parts={"some": some, "others": ~some})
        parts = values["coverage of some"], values["coverage of others"]
        assert [part.pictures for part in parts] == [20, 40]
        assert (20 * parts[0].value + 40 * parts[1].value) / 60 == pytest.approx(values["coverage"].value)

    def test_what_is_left_out_for_an_interval_might_as_well_never_have_been_there(self):
        real, fake = drawn(90, 4), drawn(70, 4, seed=1)
        balls = neighbours._Balls.around(real, 5), neighbours._Balls.around(fake, 5)
        for group, met in enumerate(neighbours._met_without_each(real, fake, balls, seed=7)):
            mine, theirs = groups_of(90, GROUPS, 7) != group, groups_of(70, GROUPS, 8) != group
            direct = precision_recall_density_coverage(real[mine], fake[theirs])
            assert float(met.around.nanmean()) / 5 == pytest.approx(direct["density"].value)
            assert float(met.around.clamp(max=1).nanmean()) == pytest.approx(direct["precision"].value)
            assert float(met.recalled.nanmean()) == pytest.approx(direct["recall"].value)
            assert float(met.covered.nanmean()) == pytest.approx(direct["coverage"].value)


class TestCopiedShare:
    def test_is_that_of_a_plain_search(self):
        fake, train = drawn(80, 3), drawn(200, 3, seed=1)
        distance, at = torch.cdist(fake, train).min(1)
        apart = torch.cdist(train, train).fill_diagonal_(torch.inf).min(1).values[at]
        assert copied_share(fake, train).value == pytest.approx((distance < apart).double().mean().item())

    def test_copies_are_found_and_pictures_that_occur_twice_are_no_copies_of_each_other(self):
        train = drawn(50, 3)
        assert copied_share(train[:20], train).value == 1
        assert copied_share(train[:20], torch.cat([train] * 7)).value == 0

    def test_needs_two_training_pictures(self):
        with pytest.raises(TooFewPictures):
            copied_share(drawn(5), drawn(1))

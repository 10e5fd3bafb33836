"""Fields that samples drift along: in closed form, nought where nothing is to learn, and pairs of the lonely."""

import math

import pytest
import torch

from danqing.maths.drifting import TEMPERATURES, balanced, distances, drift_field, lonely_pairs, steered


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_distances_are_euclidean():
    a, b = drawn(2, 5, 3), drawn(2, 4, 3, seed=1)
    torch.testing.assert_close(distances(a, b), (a[:, :, None] - b[:, None]).norm(dim=3), rtol=1e-4, atol=1e-4)


def test_the_field_is_nought_where_real_and_painted_are_the_same_set():
    x, same = drawn(3, 6, 4), drawn(3, 9, 4, seed=1)
    for each in drift_field(x, same, same):
        assert not each.any()


def test_between_one_real_and_one_painted_the_field_goes_from_this_to_that():
    x, real, painted = drawn(1, 7, 4), drawn(1, 1, 4, seed=1), drawn(1, 1, 4, seed=2)
    for each in drift_field(x, real, painted):
        torch.testing.assert_close(each, (real - painted).expand_as(each), rtol=1e-5, atol=1e-6)


def test_the_nearest_real_one_pulls_and_the_nearest_painted_one_pushes():
    x = torch.tensor([[[0.0, 0.0]]])
    real = torch.tensor([[[1.0, 0.0], [-9.0, 0.0]]])
    painted = torch.tensor([[[0.0, 1.0], [0.0, -9.0]]])
    (field,) = drift_field(x, real, painted, temperatures=(0.05,))
    # Distances 1 and 9, their mean 5: the far one weighs exp(-8 / 0.25); with one sample nothing is shared out.
    torch.testing.assert_close(field[0, 0], torch.tensor([1.0, -1.0]), rtol=0, atol=20 * math.exp(-16))


def test_two_sets_of_one_distribution_pull_and_push_less_the_larger_they_are_and_a_moved_one_pulls_its_way():
    def length(count, moved):
        x, own = drawn(1, 64, 2, seed=3), torch.zeros(64, count, dtype=torch.bool)
        sets = drawn(1, count, 2, seed=1) + torch.tensor([moved, 0.0]), drawn(1, count, 2, seed=2)
        return drift_field(x, *sets, apart=(own, own), temperatures=(0.2,))[0]

    near, far = length(64, 0.0), length(4096, 0.0)
    assert far.norm() < near.norm() / 3  # chance falls with the root of the count: an eighth, were the kernel not local
    moved = length(4096, 1.0)
    assert moved[..., 0].mean() > 5 * far.norm(dim=2).mean()


def test_others_classes_neither_pull_nor_push():
    x, real = torch.zeros(1, 1, 1), torch.tensor([[[1.0], [2.0], [3.0]]])
    strangers = torch.tensor([[True, False, True]])
    for each in drift_field(x, real, torch.zeros(1, 1, 1), apart=(strangers, torch.tensor([[False]]))):
        assert each.item() == pytest.approx(2, rel=1e-5)


def test_a_step_against_the_losss_gradient_goes_along_the_field():
    x = drawn(2, 5, 3).requires_grad_()
    field = drawn(2, 5, 3, seed=1)
    steered(x, [7 * field]).backward()
    assert torch.cosine_similarity(-x.grad.flatten(), field.flatten(), dim=0) == pytest.approx(1, rel=1e-5)
    other = x.detach().clone().requires_grad_()
    steered(other, [0.1 * field]).backward()
    torch.testing.assert_close(other.grad, x.grad)  # how long a field is does not count: its direction does
    assert not steered(other, [torch.zeros_like(field)] * len(TEMPERATURES)).any()


def test_losses_of_whatever_scale_say_as_much_as_each_other():
    x, a, b = (drawn(2, 3, 4, 4, seed=seed) for seed in range(3))
    x.requires_grad_()
    value = balanced(x, lambda seen: [(a * seen).sum(), 1000 * (b * seen).sum(), 0 * seen.sum()])
    value.backward()
    wanted = sum(each / each.square().mean().sqrt() for each in (a, b)) / x.numel()
    torch.testing.assert_close(x.grad, wanted)
    assert value.item() == pytest.approx(((a + 1000 * b) * x).sum().item() / 3, rel=1e-4)


def test_each_real_one_is_given_the_nearest_that_is_not_near_one_already():
    away = torch.tensor([[0.1, 5.0, 2.0, 9.0], [4.0, 3.0, 6.0, 9.0]])
    assert lonely_pairs(away, 0.0).tolist() == [0, 1]
    assert lonely_pairs(away, 0.25).tolist() == [2, 1]
    assert lonely_pairs(away, 0.5).tolist() == [1, 1]
    assert lonely_pairs(away, 0.9).tolist() == [3, 3]


def test_what_must_not_be_paired_is_not_even_where_nothing_else_is_left():
    away = torch.tensor([[1.0, torch.inf], [torch.inf, 5.0]])
    assert lonely_pairs(away, 0.5).tolist() == [0, 1]

"""Convolution by values at points, against torch's own in double precision."""

import pytest
import torch
from torch.nn import functional as F

from danqing.maths.convolution import LARGEST, convolve_small, correlate_small

CASES = [(7, 4), (8, 4), (7, 2), (8, 2), (4, 3), (1, 1), (5, 1), (3, 3)]


def pictures(size, kernel, batch=3, inputs=20, outputs=6):
    rng = torch.Generator().manual_seed(size * 10 + kernel)
    x = torch.randn(batch, inputs, size, size, generator=rng, dtype=torch.float64)
    return x, torch.randn(inputs, outputs, kernel, kernel, generator=rng, dtype=torch.float64)


def distance(ours, theirs):
    return ((ours.double() - theirs).norm() / theirs.norm()).item()


@pytest.mark.parametrize(("size", "kernel"), CASES)
def test_the_full_product_is_a_transposed_convolution(size, kernel):
    x, weight = pictures(size, kernel)
    assert distance(convolve_small(x.float(), weight.float()), F.conv_transpose2d(x, weight)) < 3e-4


@pytest.mark.parametrize(("size", "kernel"), CASES)
def test_the_transposed_product_is_a_convolution(size, kernel):
    x, weight = pictures(size, kernel)
    assert distance(correlate_small(x.float(), weight.float()), F.conv2d(x, weight.transpose(0, 1))) < 3e-4


@pytest.mark.parametrize("padding", [(1, 2), (2, 0), (1, 1)])
def test_padding_and_crop(padding):
    x, weight = pictures(6, 3)
    low, high = padding
    padded = F.conv2d(F.pad(x, (low, high, low, high)), weight.transpose(0, 1))
    assert distance(correlate_small(x.float(), weight.float(), padding), padded) < 3e-4
    cropped = F.conv_transpose2d(x, weight)[:, :, low : 8 - high, low : 8 - high]
    assert distance(convolve_small(x.float(), weight.float(), padding), cropped) < 3e-4


def test_the_two_are_adjoint():
    x, weight = pictures(7, 4)
    y = torch.randn(3, 6, 10, 10, generator=torch.Generator().manual_seed(0))
    x, weight = x.float(), weight.float()
    left = (convolve_small(x, weight) * y).sum()
    right = (x * correlate_small(y, weight.transpose(0, 1))).sum()
    assert left.item() == pytest.approx(right.item(), rel=1e-3)


def test_gradients_and_their_gradients_agree_with_torch():
    x, weight = (t.float().requires_grad_() for t in pictures(7, 4))

    def slopes(function):
        y = function()
        first = torch.autograd.grad(y.square().sum(), (x, weight), create_graph=True)
        return *first, *torch.autograd.grad(first[0].square().sum(), (x, weight))

    for ours, theirs in zip(
        slopes(lambda: convolve_small(x, weight)), slopes(lambda: F.conv_transpose2d(x, weight)), strict=True
    ):
        assert distance(ours.detach(), theirs.detach().double()) < 1e-3


def test_the_largest_map_keeps_four_digits():
    x, weight = pictures(LARGEST - 3, 4, inputs=256)
    assert distance(convolve_small(x.float(), weight.float()), F.conv_transpose2d(x, weight)) < 5e-4


def test_matrices_made_in_inference_mode_serve_autograd_later():
    x, weight = (t.float() for t in pictures(5, 2))
    with torch.inference_mode():
        convolve_small(x, weight, (0, 1))
    weight.requires_grad_()
    convolve_small(x, weight, (0, 1)).sum().backward()
    assert weight.grad is not None


def test_pictures_of_a_batch_do_not_meet():
    x, weight = (t.float() for t in pictures(7, 4))
    other = x.clone()
    other[1:] = 0
    torch.testing.assert_close(convolve_small(x, weight)[0], convolve_small(other, weight)[0])

"""3x3 convolutions by few products, against torch's own in double precision."""

import pytest
import torch
from torch.nn import functional as F

from danqing.maths import winograd

SHAPES = [(2, 5, 7, 8, 12), (1, 64, 64, 16, 16), (3, 6, 2, 9, 7), (1, 4, 4, 1, 1), (2, 3, 5, 2, 30), (1, 8, 8, 5, 4)]
LARGE = [(2, 4, 6, 70, 50), (1, 3, 4, 9, 300)]  # of several strips


def maps(batch, inputs, outputs, height, width):
    rng = torch.Generator().manual_seed(height)
    x = torch.randn(batch, inputs, height, width, generator=rng, dtype=torch.float64)
    return x, torch.randn(outputs, inputs, 3, 3, generator=rng, dtype=torch.float64) / inputs**0.5


def distance(ours, theirs):
    return ((ours.double() - theirs).norm() / theirs.norm()).item()


@pytest.mark.parametrize("shape", SHAPES + LARGE)
@pytest.mark.parametrize("learning", [False, True])
def test_it_is_the_convolution(shape, learning):
    x, weight = maps(*shape)
    found = winograd.convolved(x.float(), weight.float().requires_grad_(learning)).detach()
    assert distance(found, F.conv2d(x, weight, padding=1)) < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_are_those_of_the_convolution(shape, layout):
    x, weight = (each.requires_grad_() for each in maps(*shape))
    y = F.conv2d(x, weight, padding=1)
    slope = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ours = [each.detach().float().contiguous(memory_format=layout).requires_grad_() for each in (x, weight)]
    found = torch.autograd.grad(winograd.convolved(*ours), ours, slope.float())
    for mine, theirs in zip(found, torch.autograd.grad(y, (x, weight), slope), strict=True):
        assert distance(mine, theirs) < 1e-5


def test_only_the_gradients_that_are_asked_for_are_computed():
    x, weight = (each.float() for each in maps(1, 4, 4, 8, 8))
    weight.requires_grad_()
    winograd.convolved(x, weight).sum().backward()
    assert weight.grad is not None
    assert x.grad is None


def test_its_result_may_be_changed_in_place():
    x, weight = (each.float().requires_grad_() for each in maps(1, 4, 4, 8, 8))
    F.relu(winograd.convolved(x, weight)).sum().backward()
    plain = torch.autograd.grad(F.relu(F.conv2d(x, weight, padding=1)).sum(), weight)[0]
    assert torch.allclose(weight.grad, plain, atol=1e-3)

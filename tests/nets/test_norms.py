"""Normalisation against its definition."""

import pytest
import torch

from danqing.nets.norms import ClassNorm, PixelNorm


def maps():
    return torch.randn(16, 6, 5, 5, generator=torch.Generator().manual_seed(0)) * 3 + 2


def test_pixel_norm_makes_mean_squares_one():
    torch.testing.assert_close(PixelNorm()(maps()).square().mean(1), torch.ones(16, 5, 5), atol=1e-4, rtol=0)


@pytest.mark.parametrize("x", [maps(), maps()[:, :, 0, 0]], ids=["maps", "vectors"])
def test_batch_norm_of_maps_and_vectors(x):
    y = ClassNorm("batch", 6)(x)
    over = [axis for axis in range(x.ndim) if axis != 1]
    torch.testing.assert_close(y.mean(over), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(over, correction=0), torch.ones(6), atol=1e-3, rtol=0)


def test_each_class_scales_and_shifts():
    norm = ClassNorm("none", 6, classes=3)
    with torch.no_grad():
        norm.scale.weight.copy_(torch.tensor([1.0, 2.0, 3.0])[:, None].expand(3, 6))
        norm.shift.weight.copy_(torch.tensor([0.0, 10.0, 20.0])[:, None].expand(3, 6))
    x = maps()[:3]
    y = norm(x, torch.tensor([2, 0, 1]))
    torch.testing.assert_close(y, torch.stack([3 * x[0] + 20, x[1], 2 * x[2] + 10]))


def test_without_classes_there_is_nothing_to_learn():
    assert not list(ClassNorm("none", 6).parameters())
    assert torch.equal(ClassNorm("none", 6)(maps()), maps())

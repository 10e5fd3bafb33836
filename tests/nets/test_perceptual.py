"""What a net that recognises things finds unlike: nothing in a picture itself, little in noise, much in blur."""

import pytest
import torch
from skimage import data
from torch.nn import functional as F

from danqing.core.pictures.contract import from_uint8
from danqing.nets.perceptual import perceptual_distance


@pytest.fixture(scope="module")
def cat():
    return from_uint8(data.chelsea()[None, 60:188, 150:278])


def blurred(x):
    return F.avg_pool2d(F.pad(x, (4, 4, 4, 4), mode="reflect"), 9, 1)


def test_a_picture_is_like_itself_and_in_any_company(cat):
    assert perceptual_distance(cat, cat).abs().max() < 1e-6
    pair = perceptual_distance(torch.cat([cat, blurred(cat)]), torch.cat([cat, cat]))
    assert pair.shape == (2,)
    torch.testing.assert_close(pair[1:], perceptual_distance(blurred(cat), cat), rtol=1e-3, atol=1e-5)


def test_blur_counts_more_than_grain_of_the_same_error(cat):
    soft = blurred(cat)
    error = (soft - cat).square().mean().sqrt()
    grain = cat + error * torch.randn(cat.shape, generator=torch.Generator().manual_seed(0))
    darker = cat - error
    assert perceptual_distance(soft, cat) > 3 * perceptual_distance(darker, cat)
    assert perceptual_distance(soft, cat) > 0.5 * perceptual_distance(grain, cat)


@pytest.mark.parametrize("size", [16, 28, 100])
def test_small_and_grey_pictures_are_seen_and_gradients_reach_the_first_alone(size):
    x, y = (torch.rand(2, 1, size, size + 3, requires_grad=True) for _ in range(2))
    perceptual_distance(x, y).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert x.grad.abs().sum() > 0
    assert y.grad is None

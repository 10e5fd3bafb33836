"""One picture is enough: sizes, seeds, seams and refusals of what is painted from it."""

import math

import pytest
import torch
from skimage import data

import danqing
from danqing.core.errors import ParameterError
from danqing.maths.regrowing import MOST, levels_of, shape_at


def picture(height=40, width=48, channels=3):
    rng = torch.Generator().manual_seed(0)
    small = torch.rand(1, channels, height // 8, width // 8, generator=rng)
    return torch.nn.functional.interpolate(small, (height, width), mode="bilinear")


def test_sizes_and_counts():
    x = torch.cat([picture(), picture().flip(3)])
    assert danqing.grow_texture(x, wider=0.75, taller=0.5).shape == (2, 3, 20, 36)
    assert danqing.variations(x).shape == (2, 3, 40, 48)
    assert danqing.retarget(x, wider=1.5).shape == (2, 3, 40, 72)
    assert danqing.collage(x, picture(24, 56, 1)).shape == (2, 3, 24, 56)


def test_variations_differ_from_each_other_and_none_from_itself():
    rng = torch.Generator().manual_seed(0)
    dots = (torch.rand(1, 1, 24, 24, generator=rng) < 0.1).float()
    x = torch.nn.functional.interpolate(torch.nn.functional.max_pool2d(dots, 3, 1, 1), (48, 48))
    first, second = (danqing.variations(x, strength=4.0, seed=seed) for seed in (1, 2))
    assert (first - second).abs().mean() > 0.02
    same = danqing.variations(x, strength=0.0)
    assert (same - x).abs().mean() < (first - x).abs().mean() / 2
    assert torch.equal(danqing.variations(x, strength=4.0, seed=1), first)


def test_a_collage_puts_what_is_bright_where_the_layout_has_it():
    x = torch.full((1, 1, 48, 48), 0.2)
    x[..., :24] = 0.8
    made = danqing.collage(x, x.flip(3))
    assert made[..., 28:].mean() > 0.7
    assert made[..., :20].mean() < 0.3


def test_what_is_too_small_is_refused():
    with pytest.raises(ParameterError, match="smaller than 16"):
        danqing.grow_texture(torch.rand(1, 3, 12, 40))
    with pytest.raises(ParameterError, match="2 layouts"):
        danqing.collage(picture().expand(3, -1, -1, -1), picture().expand(2, -1, -1, -1))


def test_a_collage_repeats_what_the_layout_repeats():
    """Three rockets are pasted where one and two masts are in the photograph."""
    photograph = torch.from_numpy(data.rocket()).permute(2, 0, 1)[None] / 255
    x = danqing.resize(photograph, width=320)
    layout, rocket = x.clone(), x[..., 60:, 140:182]
    layout[..., 60:, 75:117] = layout[..., 60:, 208:250] = rocket
    made = danqing.collage(x, layout)
    for left in (75, 140, 208):  # as bright as a rocket is; a mast is half as bright
        assert made[..., 100:120, left + 14 : left + 32].amax(3).mean() > 0.6


def test_a_strip_has_few_enough_patches_to_be_compared_with_each_other():
    for shape in ((16, 4000), (24, 24), (3000, 4000), (20, 100_000)):
        assert math.prod(shape_at(shape, levels_of(shape)[-1])) <= MOST
    x = torch.rand(1, 1, 16, 2000, generator=torch.Generator().manual_seed(0))
    assert danqing.variations(x).shape == x.shape

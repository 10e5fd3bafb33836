"""One picture is enough: sizes, seeds, seams and refusals of what is painted from it."""

import math

import pytest
import torch
from skimage import data

import danqing
from danqing.core.errors import ParameterError
from danqing.core.notes import noted
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.contract import Picture
from danqing.core.progress import finish
from danqing.core.runs.compute import compute, placed
from danqing.core.runs.order import Call
from danqing.maths.regrowing import MOST, levels_of, shape_at


def picture(height=40, width=48, channels=3):
    rng = torch.Generator().manual_seed(0)
    small = torch.rand(1, channels, height // 8, width // 8, generator=rng)
    return torch.nn.functional.interpolate(small, (height, width), mode="bilinear")


def disc(left=22):
    """A red disc that is opaque, and colours of all kinds that nobody sees: (1, 3, 64, 64) and (1, 1, 64, 64)."""
    down, across = torch.arange(64.0)[:, None], torch.arange(64.0)[None]
    alpha = (torch.hypot(down - 26, across - left) < 14).float()[None, None]
    hidden = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return torch.where(alpha > 0, torch.tensor([0.8, 0.3, 0.1]).view(1, 3, 1, 1), hidden), alpha


def made(name, x, alpha, layout=None, **values):
    """What is made of a picture with an opacity, its opacity, and what is noted."""
    call, notes = Call.of(operator_named(name), {**values, **({} if layout is None else {"layout": "a file"})}), []
    read = {"x": Picture(x, alpha), **({} if layout is None else {"layout": layout})}
    with noted(notes):
        result, lent = finish(compute(call, placed(call, read)))
    return result.x, lent.alpha, notes


@pytest.mark.parametrize(
    ("name", "values", "moves"),
    [
        ("variations", {"seed": 1}, True),
        ("variations", {"strength": 4.0, "seed": 2}, True),
        ("grow_texture", {}, True),
        ("grow_texture", {"tileable": False, "wider": 0.5}, True),
        ("retarget", {}, False),
        ("retarget", {"wider": 1.5}, True),
        ("collage", {"layout": Picture(*disc(40))}, True),
    ],
)
def test_opacity_is_regrown_with_the_colours(name, values, moves):
    x, alpha = disc()
    result, opacity, notes = made(name, x, alpha, **values)
    assert opacity.shape == (1, 1, *result.shape[2:])
    assert (opacity.shape != alpha.shape or bool((opacity - alpha).abs().max() > 0.5)) == moves
    assert 0.03 < opacity.mean() < 0.9
    seen = result.permute(0, 2, 3, 1)[opacity[:, 0] > 0.01]
    assert (seen - torch.tensor([0.8, 0.3, 0.1])).abs().max() < 1e-3  # no hidden colour is mixed in
    assert notes == []


def test_a_tile_meets_itself_in_its_opacity_too():
    x, alpha = disc()
    _, opacity, _ = made("grow_texture", x, alpha)
    for axis in (2, 3):
        inside = opacity.diff(dim=axis).abs().mean()
        seam = (opacity.select(axis, 0) - opacity.select(axis, -1)).abs().mean()
        assert seam < 3 * inside


def test_a_collage_is_opaque_where_its_layout_is():
    x, alpha = disc()
    _, moved, _ = made("collage", x, alpha, Picture(*disc(40)))
    assert (moved - disc(40)[1]).abs().mean() < 0.05 < (moved - alpha).abs().mean()
    solid = made("collage", x, None, Picture(*disc(40)))
    assert solid[1] is None
    with pytest.raises(ParameterError, match="do not fit") as caught:
        danqing.collage(x, x, layout_alpha=alpha[..., 1:])
    assert caught.value.where == "layout_alpha"


@pytest.mark.parametrize("name", ["variations", "grow_texture", "retarget"])
def test_opaque_everywhere_is_no_transparency(name):
    x = picture()
    result, opacity, _ = made(name, x, torch.ones(1, 1, 40, 48))
    assert torch.equal(result, operator_named(name)(x))
    assert bool((opacity == 1).all())


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
    with pytest.raises(ParameterError, match="smaller than 16") as caught:
        danqing.collage(torch.rand(1, 3, 12, 40), picture())
    assert caught.value.where == "x"
    with pytest.raises(ParameterError, match="smaller than 16") as caught:
        danqing.collage(picture(), torch.rand(1, 3, 1, 40))
    assert caught.value.where == "layout"
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

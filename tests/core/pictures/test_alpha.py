"""Colours under transparency stay there, and opaque pictures do not notice."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import interpolate

from danqing.core.pictures import alpha as alphas
from danqing.core.pictures.contract import check_images


def picture(seed: int, channels: int = 3, height: int = 23, width: int = 37) -> tuple[Tensor, Tensor]:
    """Random colours, and an opacity of which about a third is 0, a third 1, a third between."""
    rng = torch.Generator().manual_seed(seed)
    opacity = (torch.rand(2, 1, height, width, generator=rng) * 3 - 1).clamp(0, 1)
    return torch.rand(2, channels, height, width, generator=rng), opacity


def with_other_hidden_colours(pixels: Tensor, opacity: Tensor) -> Tensor:
    return torch.where(opacity > 0, pixels, 1 - pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_opaque_pictures_stay_as_they_are_bit_for_bit(channels: int) -> None:
    x, _ = picture(0, channels)
    opaque = torch.ones(1, 1, *x.shape[-2:])
    assert torch.equal(alphas.premultiplied(x, opaque), x)
    assert torch.equal(alphas.unpremultiplied(x, opaque), x)
    assert torch.equal(alphas.filled(x, opaque), x)
    assert torch.equal(alphas.laid_on(x, opaque, (0.3, 0.3, 0.3)), x)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.sampled_from([1, 3]), st.integers(1, 20), st.integers(1, 20))
def test_there_and_back_keeps_what_is_seen(seed: int, channels: int, height: int, width: int) -> None:
    x, opacity = picture(seed, channels, height, width)
    back = alphas.unpremultiplied(alphas.premultiplied(x, opacity), opacity)
    seen = (opacity >= alphas.HIDDEN).expand_as(x)
    assert torch.allclose(back[seen], x[seen], rtol=2**-22, atol=0)  # one product and one quotient, each to half a unit
    assert float(back[~seen].abs().sum()) == 0


@pytest.mark.parametrize("opacity", [0.0, 1e-30, 1e-7, 1 / 65535, 1 / 255])
def test_dividing_by_next_to_nothing_keeps_the_contract(opacity: float) -> None:
    x = torch.full((1, 3, 4, 4), 0.5)
    check_images(alphas.unpremultiplied(x, torch.full((1, 1, 4, 4), opacity)))  # even where the filter overshot widely


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 20), st.integers(1, 20))
def test_no_hidden_colour_comes_out_of_anything(seed: int, height: int, width: int) -> None:
    x, opacity = picture(seed, 3, height, width)
    other = with_other_hidden_colours(x, opacity)
    assert torch.equal(alphas.filled(x, opacity), alphas.filled(other, opacity))
    assert torch.equal(alphas.laid_on(x, opacity, (1, 0, 0.5)), alphas.laid_on(other, opacity, (1, 0, 0.5)))
    assert torch.equal(alphas.premultiplied(x, opacity), alphas.premultiplied(other, opacity))


def test_a_red_disc_on_hidden_green_shrinks_to_red_alone() -> None:
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    opacity = ((x - 31.5).hypot(y - 31.5) < 20).float()[None, None]
    red, green = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1), torch.tensor([0, 1.0, 0]).view(1, 3, 1, 1)
    disc = torch.where(opacity > 0, red, green)
    small = interpolate(alphas.premultiplied(disc, opacity), scale_factor=0.3, mode="bicubic", antialias=True)
    shrunk = interpolate(opacity, scale_factor=0.3, mode="bicubic", antialias=True).clamp(0, 1)
    seen = alphas.unpremultiplied(small, shrunk)[:, :, shrunk[0, 0] > 1 / 255]
    assert float((seen - red[..., 0]).abs().max()) < 1e-4  # sums of both planes, rounded apart, over 1/255 and more


def test_filling_continues_a_plain_colour_and_keeps_the_visible() -> None:
    colour = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1)
    x, opacity = picture(3, height=45, width=31)
    plain = torch.where(opacity > 0, colour, x)
    assert torch.allclose(alphas.filled(plain, opacity), colour.expand_as(x), atol=1e-6)
    full = alphas.filled(x, opacity)
    assert torch.equal(torch.where(opacity > 0, full, 0), torch.where(opacity > 0, x, 0))


def test_filling_is_smooth() -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 128), torch.linspace(0, 1, 128), indexing="ij")
    ramp = ((x + y) / 2)[None, None]
    opacity = torch.ones_like(ramp)
    opacity[..., 32:96, 32:96] = 0
    full = alphas.filled(ramp, opacity)
    assert float((full[..., 1:, :] - full[..., :-1, :]).abs().max()) < 0.12
    assert float((full - ramp).abs().max()) < 0.25


def test_nothing_visible_is_black() -> None:
    x, opacity = torch.rand(1, 3, 5, 6), torch.zeros(1, 1, 5, 6)
    assert float(alphas.filled(x, opacity).max()) == 0
    assert float(alphas.unpremultiplied(alphas.premultiplied(x, opacity), opacity).max()) == 0


def test_grounds() -> None:
    x, half = torch.full((1, 1, 2, 2), 0.2), torch.full((1, 1, 2, 2), 0.5)
    assert alphas.laid_on(x, half, (1, 1, 1)).shape[1] == 1
    assert float(alphas.laid_on(x, half, (1,)).max()) == pytest.approx(0.6)
    coloured = alphas.laid_on(x, half, (1, 0, 0))
    assert coloured[0, :, 0, 0].tolist() == pytest.approx([0.6, 0.1, 0.1])

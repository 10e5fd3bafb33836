"""unfade finds fading, also where some black and white is left, and gives the colours back."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

import danqing
from danqing.maths.colour import brightness
from danqing.maths.degradation import faded


def error(made: Tensor, clean: Tensor) -> float:
    return float((made - clean).square().mean().sqrt())


def aged(x: Tensor, strength: float, seed: int = 1) -> Tensor:
    return faded(x, torch.tensor([strength]), Generator().manual_seed(seed))


def test_fading_is_found_and_undone(astronaut: Tensor) -> None:
    old = aged(astronaut, 0.8)
    found = danqing.unfade(old)
    assert found.numbers[0]["changed"]
    assert max(found.numbers[0]["kept"]) < 0.9
    assert error(found.picture, astronaut) < 0.6 * error(old, astronaut)


def test_also_where_a_border_is_black_and_white_still(astronaut: Tensor) -> None:
    old = aged(astronaut, 0.8)
    old[..., :16, :] = 1
    old[..., -16:, :] = 0
    found = danqing.unfade(old)
    inside = (slice(None), slice(None), slice(16, -16))
    assert found.numbers[0]["changed"]
    assert error(found.picture[inside], astronaut[inside]) < 0.6 * error(old[inside], astronaut[inside])


def test_fresh_pictures_stay_and_strength_goes_between(astronaut: Tensor) -> None:
    assert torch.equal(danqing.unfade(astronaut).picture, astronaut)
    old = aged(astronaut, 0.8)
    half = danqing.unfade(old, strength=0.5).picture
    torch.testing.assert_close(half, (old + danqing.unfade(old).picture) / 2, atol=1e-6, rtol=0)
    assert danqing.unfade(astronaut, always=True).numbers[0]["changed"]


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_a_plain_picture_tells_nothing(value: float) -> None:
    x = torch.full((1, 3, 20, 30), value)
    found = danqing.unfade(x)
    assert torch.equal(found.picture, x)
    assert not found.numbers[0]["changed"]


def test_a_yellowed_grey_print_loses_its_yellow(camera: Tensor) -> None:
    grey = camera[..., ::2, ::2].expand(-1, 3, -1, -1).contiguous()
    old = aged(grey, 0.9, seed=2)
    made = danqing.unfade(old).picture
    assert (made.amax(1) - made.amin(1)).mean() < 0.5 * (old.amax(1) - old.amin(1)).mean()
    assert danqing.unfade(brightness(old)).picture.shape == (1, 1, 256, 256)


def test_what_nobody_sees_does_not_count(astronaut: Tensor) -> None:
    """White under transparency once passed for white that was left: nothing seemed to have faded."""
    old = aged(astronaut, 0.8)[..., 100:228, 60:190].contiguous()
    alpha = torch.zeros(1, 1, 128, 130)
    alpha[..., 20:110, 10:90] = 1
    part = old[..., 20:110, 10:90].contiguous()
    expected = danqing.unfade(part)
    for under in (0.0, 0.5, 1.0):
        found = danqing.unfade(torch.where(alpha > 0, old, under), alpha=alpha)
        assert found.numbers[0]["probability"] == pytest.approx(expected.numbers[0]["probability"], abs=1e-4)
        torch.testing.assert_close(found.picture[..., 20:110, 10:90], expected.picture, rtol=0, atol=1e-4)
        assert danqing.repair(torch.where(alpha > 0, old, under), alpha=alpha).numbers[0]["faded"]


def test_a_picture_of_which_nothing_is_seen_is_measured_as_a_whole(astronaut: Tensor) -> None:
    old = aged(astronaut, 0.8)
    both = danqing.unfade(torch.cat([old, old]), alpha=torch.stack([torch.ones(1, 512, 512), torch.zeros(1, 512, 512)]))
    assert both.numbers[0]["kept"] == pytest.approx(both.numbers[1]["kept"], abs=1e-4)


@pytest.mark.parametrize("ground", [0.8, 0.9, 1.0])
def test_what_fog_and_snow_made_flat_has_not_faded(astronaut: Tensor, ground: float) -> None:
    pale = ground + 0.35 * (astronaut - ground)
    assert torch.equal(danqing.unfade(pale).picture, pale)
    assert "fading" not in danqing.repair(pale[..., :256, :256].contiguous()).numbers[0]["steps"]
    assert danqing.unfade(pale, always=True).numbers[0]["changed"]

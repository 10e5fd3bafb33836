"""white_balance takes a known cast out again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import white_balance
from danqing.core.errors import ParameterError
from danqing.maths.colour import brightness, from_linear, to_linear

CAST = torch.tensor([0.9, 0.6, 0.35]).view(1, 3, 1, 1)  # the light of a lamp, in linear light


def lit(x: Tensor) -> Tensor:
    return from_linear(to_linear(x) * CAST)


def grey_world(seed: int = 0) -> Tensor:
    """Colours of every kind that together make grey, not so bright that anything is cut off."""
    x = 0.1 + 0.6 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    return torch.cat([x, x.roll(1, 1), x.roll(2, 1)], 3)


@pytest.mark.parametrize("method", ["grey", "shades", "white"])
def test_a_cast_on_a_grey_world_goes(method: str) -> None:
    out = white_balance(lit(grey_world()), method=method)
    channels = to_linear(out).mean((0, 2, 3))
    torch.testing.assert_close(channels / channels.mean(), torch.ones(3), rtol=0.02, atol=0)
    ratio = to_linear(out) / to_linear(grey_world())  # the picture itself again, but for its brightness
    assert float(ratio.std() / ratio.mean()) < 0.02


def test_a_known_neutral_turns_grey_and_keeps_its_luminance(astronaut: Tensor) -> None:
    colour = (0.8, 0.6, 0.5)
    x = torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 4, 4).contiguous()
    out = white_balance(x, neutral=colour)
    assert float((out.amax(1) - out.amin(1)).max()) < 1e-5
    torch.testing.assert_close(brightness(to_linear(out)), brightness(to_linear(x)))
    torch.testing.assert_close(white_balance(astronaut, neutral=(0.5, 0.5, 0.5)), astronaut, rtol=0, atol=1e-5)


def test_strength_zero_changes_nothing_and_one_does_more_than_half(chelsea: Tensor) -> None:
    torch.testing.assert_close(white_balance(chelsea, strength=0.0), chelsea, rtol=0, atol=1e-5)
    half, whole = (white_balance(chelsea, method="grey", strength=s) - chelsea for s in (0.5, 1.0))
    assert 0.3 < float(half.abs().mean() / whole.abs().mean()) < 0.7


def test_a_second_time_changes_little(astronaut: Tensor) -> None:
    once = white_balance(astronaut, method="grey")
    assert float((white_balance(once, method="grey") - once).abs().mean()) < 0.01


def test_white_stays_white_and_grey_pictures_stay(camera: Tensor) -> None:
    x = torch.cat([torch.ones(1, 3, 4, 4), lit(torch.full((1, 3, 20, 4), 0.5))], 2)
    assert float(white_balance(x)[:, :, :4].min()) == pytest.approx(1)
    assert torch.equal(white_balance(camera), camera)


def test_an_unknown_method_is_refused(chelsea: Tensor) -> None:
    with pytest.raises(ParameterError, match="method"):
        white_balance(chelsea, method="retinex")

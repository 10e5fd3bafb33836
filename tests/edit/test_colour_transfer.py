"""colour_transfer gives a picture the statistics of its reference."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import colour_transfer
from danqing.core.errors import ParameterError
from danqing.core.progress import finish
from danqing.edit.colour_transfer import _sliced
from danqing.maths.colour import from_linear, to_linear, to_oklab


def points(x: Tensor) -> Tensor:
    return to_oklab(x.movedim(1, -1).double()).flatten(0, 2)


def soft(seed: int, middle: float, spread: float) -> Tensor:
    """Colours about a middle grey, all well inside what a screen can show."""
    noise = torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(seed))
    return (middle + spread * (noise + 0.5 * noise.roll(1, 1))).clamp(0.2, 0.8)


@pytest.mark.parametrize("method", ["reinhard", "linear"])
def test_mean_and_spread_become_those_of_the_reference(method: str) -> None:
    x, y = soft(0, 0.4, 0.04), soft(1, 0.6, 0.06)
    out, wanted = points(colour_transfer(x, y, method=method)), points(y)
    torch.testing.assert_close(out.mean(0), wanted.mean(0), rtol=0, atol=1e-3)
    torch.testing.assert_close(out.std(0), wanted.std(0), rtol=0.02, atol=0)
    if method == "linear":  # and how they go together
        torch.testing.assert_close(out.T.cov(), wanted.T.cov(), rtol=0.05, atol=2e-5)


def test_the_linear_map_is_the_least_change_that_does_it() -> None:
    """Between Gaussians of one shape it only scales: no turning of colours."""
    x = soft(0, 0.5, 0.03)
    lab = points(x)
    out = points(colour_transfer(x, from_linear(1.3 * to_linear(x)), method="linear"))
    torch.testing.assert_close(out, lab * 1.3 ** (1 / 3), rtol=0, atol=2e-3)


@pytest.mark.parametrize("method", ["reinhard", "linear", "sliced"])
def test_its_own_colours_change_nothing_and_neither_does_strength_zero(method: str, chelsea: Tensor) -> None:
    part = chelsea[..., :96, :96].contiguous()
    assert float((colour_transfer(part, part, method=method) - part).abs().max()) < 0.02
    zero = colour_transfer(part, 1 - part, method=method, strength=0.0)
    torch.testing.assert_close(zero, part, rtol=0, atol=1e-4)


def test_sliced_transport_matches_the_whole_distribution() -> None:
    """Three clouds are moved onto two; seen from any side, sorted values agree."""
    rng = torch.Generator().manual_seed(0)
    here = 0.02 * torch.randn(3000, 3, generator=rng) + torch.eye(3).repeat(1000, 1) / 5
    there = 0.03 * torch.randn(3000, 3, generator=rng) + torch.tensor([[0.5, 0, 0], [0, 0.2, 0.1]]).repeat(1500, 1)
    moved = finish(_sliced(here, torch.ones(3000, dtype=torch.bool), there, 30, torch.Generator().manual_seed(1)))
    sides = torch.nn.functional.normalize(torch.randn(3, 20, generator=rng), dim=0)
    before, after = (float(((a @ sides).sort(0)[0] - (there @ sides).sort(0)[0]).abs().mean()) for a in (here, moved))
    assert after < 0.05 * before


def test_sliced_brings_photographs_closer_than_linear(astronaut: Tensor, chelsea: Tensor) -> None:
    x, y = astronaut[..., ::4, ::4].contiguous(), chelsea[..., ::4, ::4].contiguous()
    shares = torch.linspace(0, 1, 101, dtype=torch.float64)
    wanted = points(y).quantile(shares, 0)
    gap = {m: float((points(colour_transfer(x, y, method=m)).quantile(shares, 0) - wanted).abs().mean())
           for m in ("linear", "sliced")}  # fmt: skip
    assert gap["sliced"] < gap["linear"] < float((points(x).quantile(shares, 0) - wanted).abs().mean())


def test_grey_stays_grey_and_the_number_of_references_must_fit(camera: Tensor, chelsea: Tensor) -> None:
    small = camera[..., ::8, ::8].contiguous()
    assert colour_transfer(small, chelsea).shape == small.shape
    with pytest.raises(ParameterError, match="2 references do not pair up with 3"):
        colour_transfer(small.repeat(3, 1, 1, 1), small.repeat(2, 1, 1, 1))

"""total_variation finds the minimum of its energy."""

from __future__ import annotations

import pytest
import torch
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from danqing import total_variation


def energy(u: Tensor, x: Tensor, strength: float) -> float:
    """Half the squared distance plus the weighted variation, float64."""
    u, x = u.double(), x.double()
    down, right = torch.zeros_like(u), torch.zeros_like(u)
    down[..., :-1, :], right[..., :-1] = u.diff(dim=-2), u.diff(dim=-1)
    return float((u - x).square().sum() / 2 + strength * (down.square() + right.square()).sum(1).sqrt().sum())


@pytest.mark.parametrize(("strength", "steps"), [(0.03, 60), (0.1, 60), (0.4, 300)])
def test_it_comes_to_the_energy_of_a_long_run_of_scikit_image(strength: float, steps: int, camera: Tensor) -> None:
    noise = 0.1 * torch.randn(1, 1, 100, 120, generator=torch.Generator().manual_seed(0))
    x = (camera[..., 100:200, 150:270] + noise).clamp(0, 1)
    long = torch.from_numpy(denoise_tv_chambolle(x[0, 0].double().numpy(), strength, eps=1e-9, max_num_iter=3000))
    ours = total_variation(x, strength=strength, steps=steps)
    assert energy(ours, x, strength) < 1.001 * energy(long[None, None], x, strength)
    assert (total_variation(x, strength=strength, steps=1000) - long).abs().max() < 0.01


def test_a_square_loses_contrast_as_the_closed_form_says() -> None:
    """A disc of radius r loses 2 · strength / r of its height and keeps its shape (Strong and Chan, 2003)."""
    y, x = torch.meshgrid(torch.arange(101.0) - 50, torch.arange(101.0) - 50, indexing="ij")
    disc = 0.2 + 0.6 * (x**2 + y**2 < 20**2).float()[None, None]
    flat = total_variation(disc, strength=0.5, steps=1000)
    assert flat[0, 0, 50, 50] == pytest.approx(0.8 - 2 * 0.5 / 20, abs=0.005)
    around = 0.2 + 0.5 * 2 * torch.pi * 20 / (101**2 - torch.pi * 20**2)  # what the disc loses goes to the ground
    assert flat[0, 0, 0, 0] == pytest.approx(around, abs=0.005)


def test_the_mean_stays_and_no_strength_changes_nothing(astronaut: Tensor) -> None:
    part = astronaut[..., 100:200, 100:200]
    torch.testing.assert_close(total_variation(part, strength=0.2).mean(), part.mean(), rtol=0, atol=1e-5)
    assert torch.equal(total_variation(part, strength=0.0), part)


def test_a_strong_one_leaves_a_plain_picture() -> None:
    x = torch.rand(1, 3, 12, 15, generator=torch.Generator().manual_seed(0))
    plain = total_variation(x, strength=10.0, steps=1000)
    torch.testing.assert_close(plain, x.mean((2, 3), keepdim=True).expand_as(x), rtol=0, atol=2e-3)


def test_edges_of_the_channels_stay_in_one_place() -> None:
    """Grey as colour is the grey picture at 1/√3 of the strength: the gradient is one vector over the channels."""
    grey = torch.rand(1, 1, 30, 30, generator=torch.Generator().manual_seed(0))
    colour = total_variation(grey.repeat(1, 3, 1, 1), strength=0.1 * 3**0.5, steps=400)
    torch.testing.assert_close(colour[:, :1], total_variation(grey, strength=0.1, steps=400), rtol=0, atol=2e-3)

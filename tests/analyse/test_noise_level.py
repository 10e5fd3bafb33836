"""noise_level finds known noise on photographs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import add_camera_noise, noise_level


def noisy(x: Tensor, sigma: float) -> Tensor:
    return (x + sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


@pytest.mark.parametrize("sigma", [10, 15, 25])
def test_known_noise_is_found_on_photographs(sigma: float, astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut, chelsea):
        assert noise_level(noisy(x, sigma)).numbers[0]["sigma"] == pytest.approx(sigma, rel=0.04)


def test_little_noise_is_little(chelsea: Tensor) -> None:
    assert noise_level(chelsea).numbers[0]["sigma"] < 1
    found = [noise_level(noisy(chelsea, s)).numbers[0]["sigma"] for s in (2, 4, 8)]
    assert found == [pytest.approx(s, abs=0.3) for s in (2, 4, 8)]


def test_noise_that_grows_with_light_is_seen_in_the_tones() -> None:
    """Photons: the variance is proportional to brightness."""
    x = torch.linspace(0.05, 0.95, 400).expand(1, 1, 300, 400)
    photons = x + 0.08 * x.sqrt() * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    tones = noise_level(photons.clamp(0, 1)).numbers[0]["tones"]
    assert tones[1:7] == [pytest.approx(255 * 0.08 * ((step + 0.5) / 8) ** 0.5, rel=0.1) for step in range(1, 7)]


def test_the_picture_is_the_noise_about_grey() -> None:
    x = noisy(torch.full((1, 3, 60, 60), 0.5), 4)
    shown = noise_level(x).picture
    assert shown.shape == x.shape
    assert float((shown - 0.5)[..., 1:-1, 1:-1].std()) == pytest.approx(8 * 4 / 255, rel=0.1)


def test_nothing_is_said_of_pictures_too_small_to_tell() -> None:
    for method in ("learned", "patches", "wavelet", "laplacian"):
        told = noise_level(torch.rand(1, 3, 2, 9), method=method).numbers[0]
        assert [told[key] for key in ("sigma", "colours", "grain") if key in told] in ([None], [None] * 3)
        assert told["tones"] == [None] * 8


def test_the_noise_of_cameras_is_found_in_its_colours_and_tones(chelsea: Tensor) -> None:
    taken, calm = (add_camera_noise(chelsea[..., :256, :256], iso=iso, read=0) for iso in (12800, 50))
    strength = 255 * (taken - calm).square().mean((0, 2, 3)).sqrt()
    told = noise_level(taken).numbers[0]
    assert told["colours"] == [pytest.approx(float(each), rel=0.4) for each in strength]
    assert min(told["colours"]) < told["sigma"] < max(told["colours"])
    assert all(0.3 * told["sigma"] < tone < 3 * told["sigma"] for tone in told["tones"] if tone is not None)
    assert noise_level(taken, method="patches").numbers[0]["sigma"] < 0.6 * told["sigma"]

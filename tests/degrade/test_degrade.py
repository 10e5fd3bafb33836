"""The degrading operators: the formula with the asked strength, on the scales that people quote; and with the mends."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import (
    add_blur,
    add_jpeg,
    add_mask,
    add_noise,
    darken,
    deconvolve,
    fade,
    jpeg_quality,
    median,
    noise_level,
    resize,
    shrink,
)
from danqing.core.operators.tiles import tiled
from danqing.maths.colour import to_linear


def psnr(x: Tensor, y: Tensor) -> float:
    return float(-10 * (x - y).square().mean().log10())


@pytest.mark.parametrize("sigma", [0, 5, 25, 75])
def test_gaussian_noise_is_on_the_scale_of_bytes(sigma: int) -> None:
    y = add_noise(torch.full((1, 3, 200, 200), 0.5), sigma=sigma)
    if sigma < 50:  # above, clipping shows
        assert 255 * float(y.std()) == pytest.approx(sigma, rel=0.02)
    assert psnr(y, torch.full_like(y, 0.5)) >= 10.5


def test_the_estimators_of_noise_find_it_again(astronaut: Tensor) -> None:
    found = noise_level(add_noise(astronaut[..., :256, :256], sigma=15)).numbers[0]
    assert any(isinstance(value, float) and value == pytest.approx(15, rel=0.15) for value in found.values())


@pytest.mark.parametrize("level", [0.25, 1.0])
def test_photon_noise_has_its_sigma_at_white_and_less_below(level: float) -> None:
    y = add_noise(torch.full((1, 1, 300, 300), level), kind="poisson", sigma=10)
    below = y[y < 1] if level == 1 else y  # at white, the upper half is clipped
    spread = float((below - level).square().mean().sqrt())
    assert 255 * spread == pytest.approx(10 * level**0.5, rel=0.03)


def test_specks_are_what_the_median_is_for(astronaut: Tensor) -> None:
    x = astronaut[..., :256, :256]
    specks = add_noise(x, kind="salt-and-pepper", share=0.1)
    assert psnr(median(specks, radius=1), x) > psnr(specks, x) + 10


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_the_quality_of_jpeg_is_found_again(quality: int, astronaut: Tensor) -> None:
    assert jpeg_quality(add_jpeg(astronaut[..., :192, :192], quality=quality)).numbers[0]["quality"] == quality


@pytest.mark.parametrize(("kind", "blur"), [("defocus", "disk"), ("motion", "motion")])
def test_deconvolution_undoes_the_blur_of_its_own_radius_and_angle(kind: str, blur: str, camera: Tensor) -> None:
    x = camera[..., 100:356, 100:356]
    soft = add_blur(x, kind=kind, radius=3, angle=30)
    sharp = deconvolve(soft, blur=blur, radius=3, angle=30, sigma=1)
    inside = (..., slice(32, -32), slice(32, -32))
    assert psnr(sharp[inside], x[inside]) > psnr(soft[inside], x[inside]) + 3


def test_large_blurs_and_jpeg_are_the_same_in_tiles(astronaut: Tensor) -> None:
    for operator, values in ((add_blur, {"kind": "motion", "radius": 20.3, "angle": 35}), (add_jpeg, {"quality": 12})):
        x = astronaut[..., :200, :233]
        pieces = tiled(operator, x, values, tile=96)
        torch.testing.assert_close(pieces, operator(x, **values), rtol=0, atol=2e-6)


def test_shrink_is_resize_by_a_whole_factor(chelsea: Tensor) -> None:
    assert torch.equal(shrink(chelsea, scale=3), resize(chelsea, width=150, height=100, filter="bicubic"))
    assert shrink(chelsea, scale=8).shape == (1, 3, 38, 56)


@pytest.mark.parametrize("kind", ["free-form", "boxes", "text", "scratches"])
def test_the_mask_is_that_of_the_picture(kind: str, chelsea: Tensor) -> None:
    values = {"kind": kind, "share": 0.1, "fill": (1.0, 0.0, 0.5), "seed": 3}
    holes, mask = add_mask(chelsea, **values), add_mask(chelsea, **values, output="mask")
    assert mask.shape == (1, 1, 300, 451)
    assert float(mask.mean()) == pytest.approx(0.1, abs=1e-5)
    there = mask.expand_as(holes) > 0
    assert torch.equal(holes[~there], chelsea[~there])
    colour = torch.tensor([1.0, 0.0, 0.5]).view(1, 3, 1, 1).expand_as(holes)
    assert torch.equal(holes[there], colour[there])
    assert not torch.equal(mask, add_mask(chelsea, **{**values, "seed": 4}, output="mask"))


def test_darkness_is_linear_light(chelsea: Tensor) -> None:
    dark = darken(chelsea, exposure=0.25, sigma=0)
    torch.testing.assert_close(to_linear(dark), to_linear(chelsea) / 4, rtol=1e-4, atol=1e-6)
    noisy = [psnr(darken(chelsea, exposure=0.25, sigma=sigma), dark) for sigma in (0.5, 2, 8)]
    assert noisy == sorted(noisy, reverse=True)


def test_fading_keeps_what_is_seen_and_takes_contrast(chelsea: Tensor) -> None:
    old = [fade(chelsea, strength=strength, seed=2) for strength in (0, 0.4, 1)]
    assert torch.equal(old[0], chelsea)
    spreads = [float(each.mean(1).std()) for each in old]
    assert spreads == sorted(spreads, reverse=True)
    for each in old[1:]:
        together = torch.corrcoef(torch.stack([each.flatten(), chelsea.flatten()]))[0, 1]
        assert float(together) > 0.8

"""deconvolve undoes the blurs that point_spread draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.signal import fftconvolve
from skimage.restoration import richardson_lucy
from torch import Tensor

from danqing import deconvolve
from danqing.maths.point_spread import point_spread

BLURS = [("gaussian", 1.5, 0.0), ("disk", 3.5, 0.0), ("motion", 5.0, 35.0)]


def blurred(x: Tensor, blur: str, radius: float, angle: float, sigma: float = 0) -> Tensor:
    """The middle of a picture after the blur, with noise."""
    kernel = point_spread(blur, radius, angle).numpy()
    planes = [fftconvolve(plane.double().numpy(), kernel, mode="same") for plane in x.flatten(0, 1)]
    noise = sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return (torch.from_numpy(np.stack(planes)).view(x.shape).float() + noise).clamp(0, 1)


def psnr(x: Tensor, clean: Tensor) -> float:
    """Where the border of the blurred picture says nothing."""
    inner = slice(16, -16)
    return float(-10 * (x - clean)[..., inner, inner].square().mean().log10())


@pytest.mark.parametrize("method", ["wiener", "richardson_lucy"])
@pytest.mark.parametrize(("blur", "radius", "angle"), BLURS)
def test_a_blurred_photograph_gains(method: str, blur: str, radius: float, angle: float, chelsea: Tensor) -> None:
    part = chelsea[..., 50:250, 100:340]
    x = blurred(part, blur, radius, angle, sigma=1)
    sharp = deconvolve(x, radius=radius, blur=blur, method=method, angle=angle, sigma=1.5)
    assert psnr(sharp, part) > psnr(x, part) + 1.5


def test_richardson_lucy_agrees_with_scikit_image(camera: Tensor) -> None:
    x = blurred(camera[..., 100:228, 150:278], "disk", 2.5, 0)
    kernel = point_spread("disk", 2.5).numpy()
    theirs = richardson_lucy(np.pad(x[0, 0].double().numpy(), 60, mode="symmetric"), kernel, num_iter=10)[
        60:-60, 60:-60
    ]
    ours = deconvolve(x, radius=2.5, blur="disk", method="richardson_lucy", steps=10)[0, 0]
    torch.testing.assert_close(ours, torch.from_numpy(theirs).float(), rtol=0, atol=5e-3)


def test_wiener_is_the_closed_form_on_a_wave() -> None:
    """A wave of one frequency is multiplied by the filter's factor at this frequency."""
    size, period, radius, sigma = 256, 16, 2.0, 5.0
    wave = torch.cos(2 * torch.pi * (torch.arange(size) + 0.5) / period)  # even about the borders, as their mirror is
    x = (0.5 + 0.1 * wave).expand(1, 1, 32, size).clone()
    transfer = math.exp(-2 * (math.pi * radius / period) ** 2)
    noise = (sigma / 255 / 0.05) ** 2 * 4 * math.sin(math.pi / period) ** 2
    expected = 0.5 + 0.1 * wave * transfer / (transfer**2 + noise)
    torch.testing.assert_close(deconvolve(x, radius=radius, sigma=sigma)[0, 0, 16], expected, rtol=0, atol=1e-3)


def test_more_noise_gives_smoother_pictures(camera: Tensor) -> None:
    x = camera[..., 100:200, 100:200]
    rough = [float(deconvolve(x, sigma=sigma).diff(dim=-1).abs().mean()) for sigma in (0.3, 2.0, 10.0, 50.0)]
    assert rough == sorted(rough, reverse=True)


@pytest.mark.parametrize(("blur", "radius", "angle"), [*BLURS, ("gaussian", 0.3, 0), ("disk", 30.0, 0)])
def test_kernels_are_symmetric_positive_and_of_sum_one(blur: str, radius: float, angle: float) -> None:
    kernel = point_spread(blur, radius, angle)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.min() >= 0
    assert torch.equal(kernel, kernel.flip(0, 1))
    torch.testing.assert_close(kernel.sum(), torch.tensor(1.0, dtype=torch.float64))


def test_a_movement_follows_its_angle() -> None:
    """Anticlockwise: at 45° the line rises to the right."""
    kernel = point_spread("motion", 5.0, 45.0)
    half = len(kernel) // 2
    assert kernel[half - 3, half + 3] > 0.02
    assert kernel[half + 3, half + 3] == 0
    torch.testing.assert_close(point_spread("motion", 5.0, 90.0), point_spread("motion", 5.0, 0.0).T)

"""The operator deconvolve."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, fft

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.borders import mirrored
from danqing.maths.point_spread import Blur, point_spread, support

CONTRAST = 0.05  # standard deviation of the difference of neighbouring pixels in photographs, the Wiener filter's prior


@operator(reach=lambda radius, blur: 8 * support(blur, radius) + 32)
def deconvolve(
    x: Images,
    radius: Annotated[float, Range(0.3, 30, "px")] = 2,
    blur: Blur = "gaussian",
    method: Literal["wiener", "richardson_lucy"] = "wiener",
    angle: Annotated[float, Range(-180, 180, "°")] = 0,
    sigma: Annotated[float, Range(0.3, 255)] = 2,
    steps: Annotated[int, Range(1, 100)] = 20,
) -> Images:
    """Undo a known blur: of a lens out of focus, of haze or of a straight movement.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: of the blur: standard deviation of the Gaussian, radius of the disk, half the length of the movement.
        blur: how a point was spread.
        method: "wiener" weighs sharpness against noise at once; "richardson_lucy" approaches the sharp picture in steps
            and keeps it free of negative light.
        angle: of the movement, anticlockwise from the horizontal.
        sigma: standard deviation of the noise on the 0–255 scale, for "wiener"; more gives smoother pictures.
        steps: of "richardson_lucy"; more gives sharper pictures and more noise.

    Returns:
        Pictures of the same size, clipped to [0, 1].

    Source: N. Wiener, 1949, with the prior that differences of neighbours are white (B. Hunt, "The application of
        constrained least squares estimation to image restoration by digital computer", 1973, eq. 21, first
        differences); W. Richardson, 1972, eq. 5, and L. Lucy, 1974, eq. 15.

    Examples:
        danqing deconvolve photo.png --radius 2.5 --blur disk --out sharp.png
        danqing deconvolve photo.png --radius 6 --blur motion --angle 30 --method richardson_lucy --out still.png
    """
    kernel = point_spread(blur, radius, angle)
    margin = min(4 * (len(kernel) // 2) + 16, 256)
    padded = mirrored(x, margin)
    transfer = _transfer(kernel, padded)
    sharp = _wiener(padded, transfer, sigma / 255) if method == "wiener" else _lucy(padded, transfer, steps)
    return sharp[..., margin : margin + x.shape[-2], margin : margin + x.shape[-1]].clamp(0, 1)


def _transfer(kernel: Tensor, like: Tensor) -> Tensor:
    """The factor that the blur puts on every frequency (H, W // 2 + 1): real, as kernels are symmetric."""
    height, width = like.shape[-2:]
    half = len(kernel) // 2
    spread = kernel.new_zeros(height, width)
    spread[: len(kernel), : len(kernel)] = kernel
    factor: Tensor = fft.rfft2(spread.roll((-half, -half), (0, 1))).real.to(like)
    return factor


def _wiener(x: Tensor, transfer: Tensor, sigma: float) -> Tensor:
    """Divide by the blur's factor as far as the picture is expected to stand out of the noise there."""
    height, width = x.shape[-2:]
    down, right = (4 * torch.sin(torch.pi * f(n)) ** 2 for f, n in ((fft.fftfreq, height), (fft.rfftfreq, width)))
    noise = (sigma / CONTRAST) ** 2 * (down[:, None] + right).to(x)  # grows with frequency as the picture fades
    return _filtered(x, transfer / (transfer.square() + noise).clamp_(min=1e-12))


def _lucy(x: Tensor, transfer: Tensor, steps: int) -> Tensor:
    """Multiply by the blurred ratio of what is seen and what would be seen."""
    seen = x.clamp(min=1e-4)
    sharp = torch.full_like(seen, 0.5)
    for _ in range(steps):
        expected = _filtered(sharp, transfer).clamp_(min=1e-4)
        sharp *= _filtered(seen / expected, transfer).clamp_(min=0)
    return sharp


def _filtered(x: Tensor, transfer: Tensor) -> Tensor:
    """Multiply every frequency by a factor."""
    out: Tensor = fft.irfft2(fft.rfft2(x) * transfer, s=x.shape[-2:])
    return out

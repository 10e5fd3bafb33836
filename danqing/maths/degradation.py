"""What spoils pictures: noise, compression, blur, shrinking, darkness and fading, each picture at its own strength.

All take pictures ``x`` (B, C, H, W) in [0, 1], and a strength as a tensor of (B,) or of one value for all; all return
pictures in [0, 1]. Noise is clipped as a file clips it, unless ``clip`` is off.
"""

from __future__ import annotations

import io
import math
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor, fft
from torch.nn import functional

from danqing.core.pictures.contract import Images, from_uint8, to_uint8
from danqing.core.progress import Job, Progress, finish
from danqing.maths.borders import mirrored
from danqing.maths.colour import from_linear, to_linear
from danqing.maths.full_precision import full_precision
from danqing.maths.point_spread import Blur, point_spread
from danqing.maths.resampling import resampled

Chroma = Literal["4:2:0", "4:2:2", "4:4:4"]
Shrinking = Literal["bicubic", "area", "nearest", "lanczos"]
MANY = 6  # photons from which a Poisson variable is drawn as a bent normal one, several times faster
SMALL = 15  # side of kernels up to which sums are faster than spectra
MOST_YELLOW = (0.04, 0.1, 0.25)  # density of the yellowest paper in red, green and blue
BLACK = 0.04  # sRGB value of the blackest photographic paper, a density of 2.5


def gaussian_noise(x: Images, sigma: Tensor, rng: Generator, clip: bool = True) -> Images:
    """Add white Gaussian noise.

    Args:
        x: (B, C, H, W).
        sigma: (B,), standard deviation in image units.
        rng: draws the noise.
        clip: cut off what leaves [0, 1].

    Source: y = x + σ n, n ~ N(0, 1) for each value.
    """
    y = x + _each(sigma, x) * _normal(x, rng)
    return y.clamp_(0, 1) if clip else y


def poisson_gaussian(x: Images, photons: Tensor, sigma: Tensor, rng: Generator, clip: bool = True) -> Images:
    """Count photons, then add the noise of reading them out.

    Args:
        x: (B, C, H, W).
        photons: (B,), expected number of them at 1; infinity: no shot noise.
        sigma: (B,), standard deviation of the reading in image units.
        rng: draws the noise.
        clip: cut off what leaves [0, 1].

    Source: A. Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data", 2008,
        eq. 1–3: y = P(N x) / N + σ n. From 6 photons on, P is drawn by the Cornish–Fisher expansion to the second
        order, λ + √(λ - 1/18) n + (n² - 1) / 6, whose mean and variance are exact.
    """
    white = _each(photons, x)
    counted = _poisson(x * white, rng) / white
    y = torch.where(white.isfinite(), counted, x)
    return gaussian_noise(y, sigma, rng, clip)


def salt_and_pepper(x: Images, share: Tensor, rng: Generator) -> Images:
    """Turn pixels black or white, both equally often.

    Args:
        x: (B, C, H, W).
        share: (B,), probability 0…1 that a pixel is hit, in all its channels.
        rng: chooses the pixels.

    Source: R. Gonzalez, R. Woods, "Digital Image Processing", section "Some important noise probability density
        functions".
    """
    drawn = torch.rand(len(x), 1, *x.shape[2:], generator=rng, device=rng.device).to(x)
    half = _each(share, x) / 2
    return torch.where(drawn < half, 0.0, torch.where(drawn >= 1 - half, 1.0, x))


def jpeg(x: Images, quality: Tensor, chroma: Chroma = "4:2:0") -> Images:
    """Compress as JPEG and decode.

    Args:
        x: (B, C, H, W), sides of at most 65,535 px; grey pictures become grey JPEGs.
        quality: (B,), 1…100 of libjpeg; rounded.
        chroma: colour at half the resolution in both directions, along the width, or at all of it.

    Source: ITU-T T.81, by Pillow's libjpeg; the values are rounded to bytes first, as in every file.
    """
    from PIL import Image

    qualities = quality.expand(len(x)).round().int().tolist()
    out = torch.empty_like(x, device="cpu")
    for at, (pixels, level) in enumerate(zip(to_uint8(x), qualities, strict=True)):
        file = io.BytesIO()
        coded = Image.fromarray(pixels if x.shape[1] == 3 else pixels[..., 0])
        coded.save(file, "JPEG", quality=level, subsampling=chroma if x.shape[1] == 3 else -1)
        decoded = np.asarray(Image.open(file)).reshape(1, *x.shape[2:], x.shape[1])
        out[at] = from_uint8(decoded)[0]
    return out.to(x.device)


def defocus(x: Images, radius: Tensor) -> Images:
    """Blur as a lens out of focus does: every point becomes a disk with a soft edge.

    Args:
        x: (B, C, H, W), mirrored beyond its borders.
        radius: (B,), of the disk in px; 0 changes nothing.

    Source: :func:`danqing.maths.point_spread.point_spread`.
    """
    return kernel_blur(x, _kernels("disk", radius.expand(len(x)), torch.zeros(len(x))))


def motion(x: Images, length: Tensor, angle: Tensor) -> Images:
    """Blur as a camera does that moves on a straight line.

    Args:
        x: (B, C, H, W), mirrored beyond its borders.
        length: (B,), of the way in px; 0 changes nothing.
        angle: (B,), of the way in degrees, anticlockwise from the horizontal.

    Source: :func:`danqing.maths.point_spread.point_spread`.
    """
    return kernel_blur(x, _kernels("motion", length.expand(len(x)) / 2, angle.expand(len(x))))


@full_precision
def kernel_blur(x: Images, kernels: Tensor) -> Images:
    """Convolve each picture with a kernel of its own.

    Args:
        x: (B, C, H, W), mirrored beyond its borders.
        kernels: (B, k, k), k odd, non-negative, each of sum 1.

    Source: y(p) = Σ k(q) x(p - q); large kernels by their spectra.
    """
    kernels = kernels.to(x)
    margin = kernels.shape[-1] // 2
    padded = mirrored(x, margin)
    blurred = (_by_sums if kernels.shape[-1] <= SMALL else _by_spectra)(padded, kernels)
    return blurred.clamp_(0, 1)


def shrink(x: Images, factor: int, kind: Shrinking = "bicubic") -> Images:
    """Make pictures smaller by a whole factor.

    Args:
        x: (B, C, H, W).
        factor: at least 1; sides that it does not divide are rounded, at least to 1 px.
        kind: "bicubic" (a = -1/2) and "lanczos" (3 lobes) are widened by the factor, so that nothing aliases; "area" is
            the mean; "nearest" takes one pixel, as bad programs do.

    Source: as the operator ``resize``: Pillow's filters.
    """
    if factor == 1:
        return x.clone()
    height, width = (max(1, int(side / factor + 0.5)) for side in x.shape[-2:])
    return resampled(x, height, width, "box" if kind == "area" else kind).clamp_(0, 1)


def low_light(x: Images, exposure: Tensor, gamma: Tensor, sigma: Tensor, rng: Generator) -> Images:
    """Take the picture again with too little light.

    Args:
        x: (B, C, H, W).
        exposure: (B,), share of the light that is left, 0…1.
        gamma: (B,), exponent of the linear light: 1, or more to sink the shadows deeper than the lights.
        sigma: (B,), standard deviation of the sensor's reading, in image units of linear light; 0: no noise at all.
        rng: draws the noise.

    Source: danqing: y = sRGB(PG(e L^γ)) with L the linear light and PG Poisson–Gaussian noise, whose photons belong to
        σ as in cameras: log σ² = 2.18 log(1 / photons) + 1.2 (T. Brooks et al., "Unprocessing images for learned raw
        denoising", 2019, section 3.1).
    """
    return finish(taking_in_low_light(x, exposure, gamma, sigma, rng))


def taking_in_low_light(x: Images, exposure: Tensor, gamma: Tensor, sigma: Tensor, rng: Generator) -> Job[Images]:
    """:func:`low_light` as a job, step by step."""
    yield Progress(0, 3)
    light = _each(exposure, x) * to_linear(x) ** _each(gamma, x)
    photons = (math.exp(1.2) / sigma.double().square()) ** (1 / 2.18)  # infinite for 0
    yield Progress(1, 3)
    sensed = poisson_gaussian(light, photons, sigma, rng)
    yield Progress(2, 3)
    return from_linear(sensed).clamp_(0, 1)


def faded(x: Images, strength: Tensor, rng: Generator) -> Images:
    """Fade as old photographs do: dyes bleach, each at its own pace, and the paper yellows.

    Args:
        x: (B, C, H, W).
        strength: (B,), 0 (new) … 1 (blacks are grey, one colour rules).
        rng: draws how far each dye bleaches, and how yellow the paper is.

    Source: danqing: densities D = -log x become (1 - s f) D + s p, by the law of Beer and Lambert; f in 0.25…0.65 for
        each dye, p up to 0.04, 0.1 and 0.25 in red, green and blue. sRGB values stand for the light: a power of one is
        a power of the other.
    """
    drawn = torch.rand(len(x), 2, x.shape[1], generator=rng, device=rng.device).to(x)
    bleached, stained = drawn.unbind(1)
    amount = strength.to(x.device, x.dtype).reshape(-1, 1)
    most = x.new_tensor(MOST_YELLOW if x.shape[1] == 3 else (0.1,))
    return faded_by(x, strength, 1 - amount * (0.25 + 0.4 * bleached), torch.exp(-amount * most * stained))


def faded_by(x: Images, strength: Tensor, kept: Tensor, paper: Tensor) -> Images:
    """Fade by what is told: y = paper · (x + strength · BLACK · (1 - x))^kept.

    Args:
        x: (B, C, H, W).
        strength: (B,), of the black that has paled.
        kept: (B, C), the share of its density that each dye has kept.
        paper: (B, C), what the paper reflects.

    Source: as :func:`faded`.
    """
    reflected = x + _each(strength, x) * BLACK * (1 - x)
    planes = (each.to(x)[:, :, None, None] for each in (kept, paper))
    exponent, white = planes
    return (white * reflected**exponent).clamp_(0, 1)


def _each(strength: Tensor, x: Images) -> Tensor:
    """A strength for each picture, ready to be multiplied: (B or 1, 1, 1, 1)."""
    return strength.to(x.device, x.dtype).reshape(-1, 1, 1, 1)


def _normal(x: Tensor, rng: Generator) -> Tensor:
    return torch.randn(x.shape, generator=rng, device=rng.device, dtype=x.dtype).to(x.device)


def _poisson(rate: Tensor, rng: Generator) -> Tensor:
    """Draw Poisson variables; rates that are infinite give anything."""
    normal = _normal(rate, rng)
    drawn = (rate + (rate - 1 / 18).sqrt() * normal + (normal.square() - 1) / 6).clamp_(min=0)
    if float(rate.min()) >= MANY:
        return drawn
    few = _few(rate.clamp(max=MANY), torch.special.ndtr(normal))  # the same draw: no picture moves another's noise
    return torch.where(rate < MANY, few, drawn)


def _few(rate: Tensor, level: Tensor) -> Tensor:
    """The quantiles of Poisson variables of small rates: count the steps of the distribution below the level."""
    power = torch.exp(-rate)
    below, count, step = power.clone(), torch.zeros_like(rate), torch.empty_like(rate)
    for number in range(1, 4 * MANY):  # more of them are rarer than float32 can tell
        count += torch.sub(level, below, out=step).mul_(1e30).clamp_(0, 1)  # faster than comparing
        below.add_(power.mul_(rate), alpha=1 / math.factorial(number))
    return count


def _kernels(blur: Blur, radius: Tensor, angle: Tensor) -> Tensor:
    """Kernels (B, k, k) as large as the largest of them."""
    drawn = [point_spread(blur, *each) for each in zip(radius.tolist(), angle.tolist(), strict=True)]
    half = max(len(kernel) for kernel in drawn) // 2
    return torch.stack([functional.pad(kernel, (half - len(kernel) // 2,) * 4) for kernel in drawn])


def _by_sums(padded: Tensor, kernels: Tensor) -> Tensor:
    count, channels, height, width = padded.shape
    weight = kernels.flip(1, 2).repeat_interleave(channels, 0)[:, None]
    planes = functional.conv2d(padded.reshape(1, -1, height, width), weight, groups=count * channels)
    return planes.view(count, channels, *planes.shape[-2:])


def _by_spectra(padded: Tensor, kernels: Tensor) -> Tensor:
    height, width = padded.shape[-2:]
    size = [-(-side // 32) * 32 for side in (height, width)]  # lengths that transform fast; what wraps is cropped
    spread = kernels.shape[-1] - 1
    spectrum = fft.rfft2(padded, s=size) * fft.rfft2(kernels, s=size)[:, None]
    out: Tensor = fft.irfft2(spectrum, s=size)
    return out[..., spread:height, spread:width].contiguous()

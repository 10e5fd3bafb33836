"""How far an estimate is from what nobody knows, told from the noisy picture alone, and the better of two by that.

For white noise of a known σ the mean square error of any estimate is |y - f(y)|² - σ² + 2 σ² div f(y) per number,
without bias. The divergence is probed: how f answers a small change of random signs. Places so near to black or
white that their noise was clipped are left out.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images

WINDOW = 33  # px over which errors are averaged
PROBE = 0.3  # of σ, by which numbers are changed
TONE, CLEAR = 9, 1.5  # px, and σ that places lie off black and white on average whose noise is whole
FEW = 0.3  # numbers a place, on average: of fewer nothing is told
LEAST = 0.02  # of σ²: estimates of less say nothing
EVEN, OF = 7 / 3, 15 / 255  # how many times the first counts where both seem as good, at that σ …
GROWS = 1.2  # … and by which power of σ that grows: of strong noise a net that knows photographs sees through more
REACH = WINDOW // 2 + TONE // 2

Remover = Callable[[Images], Images]


def merged(y: Images, first: Remover, second: Remover, sigma: float) -> Images:
    """Take of two ways to remove noise, place by place, more of what is nearer to the picture.

    Args:
        y: pictures (B, C, H, W) with white noise.
        first: a way to remove it, which counts more where both seem as good.
        second: another way.
        sigma: standard deviation of the noise, in image units.

    Source: Stein, "Estimation of the mean of a multivariate normal distribution", 1981; the probe: Ramani, Blu, Unser,
        "Monte-Carlo SURE", 2008. The weights are danqing's: by the squares of the estimated errors.
    """
    one, other = first(y), second(y)
    probe = _signs(y) * PROBE * sigma
    tone = functional.avg_pool2d(y, TONE, 1, TONE // 2, count_include_pad=False)
    whole = ((tone - 0.5).abs() < 0.5 - CLEAR * sigma).to(y)
    near, far = (_error(y, made, way, probe, whole, sigma) for made, way in ((one, first), (other, second)))
    kept = EVEN * max(1.0, sigma / OF) ** GROWS
    share: Tensor = near.square() / (near.square() + kept * far.square())
    return torch.lerp(one, other, share.expand_as(one))


def _error(y: Images, made: Images, way: Remover, probe: Tensor, whole: Tensor, sigma: float) -> Tensor:
    """The mean square error (B, 1, H, W) around each place, told by numbers whose noise is whole; if few are, least."""
    divergence = probe * (way((y + probe).clamp(0, 1)) - made) / (PROBE * sigma) ** 2
    error = (y - made).square() - sigma**2 + 2 * sigma**2 * divergence
    total, count = (_around(each.sum(1, keepdim=True)) for each in (error * whole, whole))
    told = (total / count.clamp(min=FEW)).clamp(min=LEAST * sigma**2)
    return torch.where(count >= FEW, told, LEAST * sigma**2)


def _around(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, WINDOW, 1, WINDOW // 2, count_include_pad=False)


def _signs(y: Images) -> Tensor:
    """Signs that look random and hang on nothing but the numbers themselves, so that tiles have those of the whole."""
    signs: Tensor = 1 - 2 * (y * 7919.0).sin().mul(43758.5453).frac().abs().mul(2).floor()
    return signs


__all__ = ["REACH", "Remover", "merged"]

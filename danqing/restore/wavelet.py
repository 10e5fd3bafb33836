"""The operator wavelet."""

from __future__ import annotations

import math
from typing import Annotated

from torch import Tensor
from torch.nn import functional

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.borders import mirrored
from danqing.maths.colour import from_opponent, to_opponent

_ROOT = math.sqrt(3)
LOW = tuple(part / (4 * math.sqrt(2)) for part in (1 + _ROOT, 3 + _ROOT, 3 - _ROOT, 1 - _ROOT))  # Daubechies, order 2
HIGH = (LOW[3], -LOW[2], LOW[1], -LOW[0])
WINDOW = 3  # px: half the side of the square in which a coefficient's neighbours tell its variance


@operator(reach=lambda levels: _support(levels))
def wavelet(
    x: Images,
    sigma: Annotated[float, Range(0, 255)] = 25,
    levels: Annotated[int, Range(1, 5)] = 4,
) -> Images:
    """Remove noise by shrinking wavelet coefficients that do not stand out of it.

    Every coefficient is taken as its neighbourhood suggests: a Wiener filter with the variance found around it. The
    transform is the undecimated one, so that no shift is preferred; colours are parted into brightness and two
    differences, in which the noise is as strong as in red, green and blue.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        sigma: standard deviation of the noise on the 0–255 scale; 0 changes nothing.
        levels: how coarse the noise may be: 1 reaches grain of about two pixels, each further one twice that.

    Returns:
        Pictures of the same size, clipped to [0, 1].

    Source: M. K. Mıhçak, I. Kozintsev, K. Ramchandran, P. Moulin, "Low-complexity image denoising based on statistical
        modeling of wavelet coefficients", 1999, eq. 3; undecimated: R. Coifman, D. Donoho, "Translation-invariant
        de-noising", 1995; filters: I. Daubechies, 1988.

    Examples:
        danqing wavelet photo.png --sigma 20 --out clean.png
    """
    if sigma == 0:
        return x.clone()
    support = _support(levels)
    padded = mirrored(to_opponent(x) if x.shape[1] == 3 else x, support)
    clean = _shrunk(padded, (sigma / 255) ** 2, 0, levels)
    margin = (clean.shape[-1] - x.shape[-1]) // 2
    clean = clean[..., margin : margin + x.shape[-2], margin : margin + x.shape[-1]]
    return (from_opponent(clean) if x.shape[1] == 3 else clean.clone()).clamp_(0, 1)


def _support(levels: int) -> int:
    """How far a pixel's value travels: through the filters of all levels and back, and through the windows."""
    return 3 * ((1 << levels) - 1) + WINDOW


def _shrunk(x: Tensor, noise: float, level: int, levels: int) -> Tensor:
    """Shrink the details of this and the coarser levels; the result lacks a border of the support."""
    step = 2**level
    low, high = (_correlate(x, taps, -2, step) for taps in (LOW, HIGH))
    bands = [_correlate(rows, taps, -1, step) for rows in (low, high) for taps in (LOW, HIGH)]
    coarse = bands[0] if level + 1 == levels else _shrunk(bands[0], noise, level + 1, levels)
    details = [_wiener(band, noise) for band in bands[1:]]
    margin = (details[0].shape[-1] - coarse.shape[-1]) // 2
    if margin < 0:  # the coarsest band was not shrunk
        coarse, margin = coarse[..., -margin:margin, -margin:margin], 0
    details = [band[..., margin : band.shape[-2] - margin, margin : band.shape[-1] - margin] for band in details]
    above = _spread(coarse, LOW, step) + _spread(details[0], HIGH, step)
    below = _spread(details[1], LOW, step) + _spread(details[2], HIGH, step)
    return _spread(above, LOW, step, -2) + _spread(below, HIGH, step, -2)


def _wiener(band: Tensor, noise: float) -> Tensor:
    """Weigh each coefficient by the share of the picture in the variance around it."""
    energy = functional.avg_pool2d(
        functional.avg_pool2d(band.square(), (2 * WINDOW + 1, 1), 1), (1, 2 * WINDOW + 1), 1
    )  # fmt: skip
    inner = band[..., WINDOW:-WINDOW, WINDOW:-WINDOW]
    return inner * (energy - noise).clamp_(min=0).div_(energy.clamp_(min=1e-12))


def _correlate(x: Tensor, taps: tuple[float, ...], axis: int, step: int) -> Tensor:
    """Slide the taps, ``step`` pixels apart, along an axis where they fit."""
    length = x.shape[axis] - 3 * step
    out = x.narrow(axis, 0, length) * taps[0]
    for place, tap in enumerate(taps[1:], 1):
        out.add_(x.narrow(axis, place * step, length), alpha=tap)
    return out


def _spread(x: Tensor, taps: tuple[float, ...], step: int, axis: int = -1) -> Tensor:
    """Half the adjoint of :func:`_correlate`, where it is complete: the way back, as every level counts twice."""
    return _correlate(x, tuple(tap / 2 for tap in reversed(taps)), axis, step)

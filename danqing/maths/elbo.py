"""The terms of a variational autoencoder's evidence lower bound, in nats a picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 256  # grey levels of an 8-bit pixel
FAR = 5.0  # standard deviations beyond which a normal tail is taken from its asymptotic series
TINY = 1e-37  # keeps a logarithm finite where float32 ends


def gaussian_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """Measure KL(N(mean, exp(logvar)) ‖ N(0, 1)), summed over all dimensions but the first.

    Args:
        mean: (B, …).
        logvar: logarithm of the variances, (B, …).

    Returns:
        (B,), nats.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B.
    """
    return (mean.square() + logvar.exp() - 1 - logvar).flatten(1).sum(1) / 2


def bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    """Measure Σ x log p + (1 − x) log(1 − p), p = sigmoid(logits).

    For grey levels this is no density of x. It is the expected log-likelihood of black-and-white pictures whose pixels
    are white with probability x, and only in that sense may it be called a likelihood.

    Args:
        x: (B, …) in [0, 1].
        logits: (B, …).

    Returns:
        (B,), nats.

    Source: Kingma & Welling 2014, arXiv:1312.6114, appendix C.1; for the reading as stochastic binarisation
    Salakhutdinov & Murray 2008, On the Quantitative Analysis of Deep Belief Networks.
    """
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


def discretised_gaussian_log_likelihood(x: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Measure the log-probability of 8-bit pixels: the mass of a Gaussian in each pixel's bin.

    The bin of a level is 1/255 wide and centred on it; those of 0 and 255 reach to infinity, so that the masses of the
    256 levels sum to 1 whatever ``mean`` and ``sigma`` are. Values between two levels count as a bin around them.

    Args:
        x: (B, …), levels divided by 255.
        mean: (B, …); may lie outside [0, 1].
        log_sigma: logarithm of the standard deviation in image units; any shape that broadcasts.

    Returns:
        (B,), nats.

    Source: Ho et al. 2020, arXiv:2006.11239, eq. 13; the bins as in Salimans et al. 2017, arXiv:1701.05517, eq. 2.
    """
    half, scale = 0.5 / (LEVELS - 1), (-log_sigma).exp()
    # Both edges as distances from the mean, seen from the side the bin lies on: 0 and 255 have only their inner edge.
    side = torch.where(x <= 0, -1.0, torch.where(x >= 1, 1.0, torch.where(x < mean, -1.0, 1.0)))
    near = ((x - mean) * side - half) * scale
    closed = ((x > 0) & (x < 1)).to(x.dtype)
    return _log_mass(near, 2 * half * scale, closed).flatten(1).sum(1)


def bits_per_dimension(nats: Tensor | float, dimensions: int) -> Tensor | float:
    """Turn a negative log-likelihood in nats a picture into bits per pixel and channel; a uniform guess has 8.

    Args:
        nats: negative log-likelihood of 8-bit pictures, in nats.
        dimensions: C·H·W.

    Returns:
        as ``nats``, in bits.

    Source: Theis et al. 2016, arXiv:1511.01844, section 3.1.
    """
    return nats / (dimensions * math.log(2))


def _log_mass(near: Tensor, width: Tensor, closed: Tensor) -> Tensor:
    """log(Φ(−near) − closed · Φ(−near − width)), elementwise, in float32 however far out.

    One logarithm serves both regions: up to FAR the mass itself comes from erfc; beyond, where erfc underflows, the
    mass divided by the density at ``near`` comes from Mills' ratio, and the density's logarithm is added.
    """
    far = near.clamp_min(FAR)
    ratio = _mills(far) - closed * torch.exp(-width * (far + width / 2)) * _mills(far + width)
    root = math.sqrt(0.5)
    close = near.clamp_max(FAR)
    mass = (torch.erfc(close * root) - closed * torch.erfc((close + width) * root)) / 2
    outside = near > FAR
    log_density = -near.square() / 2 - math.log(2 * math.pi) / 2
    return torch.where(outside, ratio, mass).clamp_min(TINY).log() + torch.where(outside, log_density, 0.0)


def _mills(z: Tensor) -> Tensor:
    """Φ(−z) / φ(z) by its asymptotic series, to 3e-4 for z ≥ FAR.

    Source: Abramowitz & Stegun 1964, 26.2.12.
    """
    s = z.square().reciprocal()
    return (1 - s * (1 - s * (3 - 15 * s))) / z

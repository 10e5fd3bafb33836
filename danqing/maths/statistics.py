"""How far apart two sets of pictures are, as distances between their features; float64 inside.

Each statistic is an :class:`~danqing.maths.intervals.Estimate`. Behind an interval stands how much each picture pulls
on the value (its empirical influence).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from danqing.core.errors import TooFewPictures
from danqing.maths.intervals import Bounds, Estimate, around

ROWS = 1024  # rows of a kernel matrix that are held at once
DIVISIONS = 20  # random divisions that tell what chance alone makes of a Fréchet distance


def moments(a: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (D,) and unbiased covariance (D, D) of features (N, D), in float64."""
    a = a.double()
    mean = a.mean(0)
    centred = a - mean
    return mean, centred.T @ centred / (len(a) - 1)


def gaussian_frechet(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Measure the squared Fréchet (2-Wasserstein) distance of two Gaussians; 0 or more.

    With C = L Lᵀ, the trace of (C1 C2)^½ is the sum of the singular values of L1ᵀ L2: no square root of a product that
    need not be symmetric, and none of its imaginary parts.

    Source: Dowson & Landau 1982, eq. 4; Heusel et al. 2017, GANs trained by a two time-scale update rule, eq. 6.
    """
    overlap = torch.linalg.svdvals(_root(cov1).T @ _root(cov2)).sum()
    return _frechet(mean1.double() - mean2.double(), cov1, cov2, overlap)


def frechet_distance(a: Tensor, b: Tensor) -> Estimate:
    """Measure the Fréchet distance of two sets of features (N, D) and (M, D) taken as Gaussian.

    The value lies above the distance of what the sets are drawn from, the more the fewer they are. The interval holds
    both that distance and what other sets of these sizes would show: it begins below the value by what two sets are
    apart by chance, which is found by dividing the pictures of both at random, and on both sides leaves room for how
    this varies and for how much single pictures pull on the value.

    Raises:
        TooFewPictures: unless N and M exceed D: fewer leave the covariance without full rank, and the number would
            measure how few there are.

    Source: Heusel et al. 2017, eq. 6; that it is biased: Bińkowski et al. 2018, section 4 and appendix D; random
    divisions: R. A. Fisher 1935, The design of experiments, section 21; the interval: danqing, docs/adr/0019.
    """
    need_for_frechet(a.shape[1], len(a), len(b))
    value = gaussian_frechet(*moments(a), *moments(b))

    def bounds(seed: int) -> Bounds:
        chance = _frechet_by_chance(a, b, seed)
        error = math.hypot(_pulled(*_frechet_pulls(a, b)), float(chance.std()))
        low, high = around(value, error, DIVISIONS - 1)
        return max(low - float(chance.mean()), 0.0), high

    return Estimate(value, len(a), bounds)


def need_for_frechet(dim: int, *counts: int) -> None:
    """Refuse counts of pictures that leave a covariance of ``dim`` features without full rank.

    Raises:
        TooFewPictures: naming the number needed.
    """
    if min(counts) <= dim:
        raise TooFewPictures(
            f"a Fréchet distance on {dim} features needs at least {dim + 1} pictures in each set, not {min(counts)}",
            remedy="Give more pictures, choose features of fewer dimensions, or ask for the kernel distance instead",
        )


def kernel_distance(a: Tensor, b: Tensor, degree: int = 3) -> Estimate:
    """Measure the squared maximum mean discrepancy of two sets of features with the kernel (xᵀy / D + 1)^degree.

    Unbiased: it lies around zero, below as often as above, when both sets are drawn alike. All pairs are used; the
    mean over random subsets that is often reported estimates the same number with more noise.

    Raises:
        TooFewPictures: for fewer than two in either set.

    Source: Bińkowski et al. 2018, Demystifying MMD GANs, eq. 4 and section 4.1 (KID); Gretton et al. 2012, eq. 3.
    """
    if min(len(a), len(b)) < 2:
        raise TooFewPictures("a kernel distance needs at least 2 pictures in each set")
    a, b = a.double(), b.double()
    within_a, within_b = _kernel_rows(a, a, degree, own=True), _kernel_rows(b, b, degree, own=True)
    across_a, across_b = _kernel_rows(a, b, degree), _kernel_rows(b, a, degree)
    value = (within_a.mean() + within_b.mean() - 2 * across_a.mean()).item()
    error = _pulled(2 * _centred(within_a - across_a), 2 * _centred(within_b - across_b))
    return Estimate(value, len(a), lambda seed: around(value, error, min(len(a), len(b)) - 1))


def classifier_score(probabilities: Tensor, splits: int = 1) -> Estimate:
    """Score class probabilities (N, K) as exp of the mean KL divergence from their mean: 1 to K, large is good.

    It asks that each picture be recognised with certainty and that all classes occur, and nothing of likeness to data.
    The interval of a single part is the jackknife's, of several that of a mean of independent figures.

    Args:
        probabilities: rows that sum to 1.
        splits: number of equal parts whose scores are averaged (10 in the paper; each part then has its own mean).

    Source: Salimans et al. 2016, Improved techniques for training GANs, section 4.
    """
    p = probabilities.double()
    if splits == 1:
        value = _spread(p)
        return Estimate(value, len(p), lambda seed: _spread_bounds(p, value))
    parts = torch.tensor([_spread(part) for part in p.chunk(splits)], dtype=torch.float64)
    error = float(parts.std()) / math.sqrt(len(parts))
    return Estimate(float(parts.mean()), len(p), lambda seed: around(float(parts.mean()), error, len(parts) - 1))


def _spread(p: Tensor) -> float:
    """Exp of the mean entropy (N, K) that is missing to that of the mean."""
    return math.exp(_entropy(p.mean(0)) - _entropy(p).mean())


def _entropy(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(-1)


def _spread_bounds(p: Tensor, value: float) -> Bounds:
    """The jackknife's interval of the logarithm; it holds the score of any number of pictures, and that of so many.

    The mean of few pictures' chances is less even than that of many, so that the score of few is lower.

    Source: J. Tukey 1958 (error) and M. Quenouille 1956 (bias) of the jackknife; B. Efron, C. Stein 1981.
    """
    count, entropy = len(p), _entropy(p)
    without = _entropy((p.sum(0) - p) / (count - 1)) - (entropy.sum() - entropy) / (count - 1)
    log, mean = math.log(value), float(without.mean())
    error = math.sqrt((count - 1) * float((without - mean).square().mean()))
    bias = (count - 1) * (mean - log)
    low, high = around(log, error, count - 1)
    return max(1.0, math.exp(low - max(bias, 0))), min(float(p.shape[1]), math.exp(high - min(bias, 0)))


def _frechet(shift: Tensor, cov1: Tensor, cov2: Tensor, overlap: Tensor) -> float:
    return max((shift.square().sum() + cov1.double().trace() + cov2.double().trace() - 2 * overlap).item(), 0.0)


def _root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance.double())
    root: Tensor = vectors * values.clamp_min(0).sqrt()
    return root


def _frechet_by_chance(a: Tensor, b: Tensor, seed: int) -> Tensor:
    """What the distance is (DIVISIONS,) of two sets of these sizes, whose pictures are those of both, mixed."""
    mixed, rng = torch.cat([a, b]).double(), torch.Generator().manual_seed(seed)
    found = []
    for _ in range(DIVISIONS):
        one, other = mixed[torch.randperm(len(mixed), generator=rng)].split([len(a), len(b)])
        found.append(gaussian_frechet(*moments(one), *moments(other)))
    return torch.tensor(found, dtype=torch.float64)


def _frechet_pulls(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """How much each picture pulls on the distance: the derivative of :func:`gaussian_frechet`.

    It is 2 (μ1 - μ2) to the mean and I - T to the covariance, where T is the linear map that carries one Gaussian to
    the other. Along directions in which a set does not vary the derivative does not exist and is left out.

    Source: danqing, from Bhatia, Jain & Lim 2019, On the Bures-Wasserstein distance, eq. 56.
    """
    (mean1, cov1), (mean2, cov2) = moments(a), moments(b)
    root1, root2 = _root(cov1), _root(cov2)
    left, overlap, right = torch.linalg.svd(root1.T @ root2)
    return (
        _frechet_pull(a, mean1, root1, mean1 - mean2, left, overlap),
        _frechet_pull(b, mean2, root2, mean2 - mean1, right.T, overlap),
    )


def _frechet_pull(a: Tensor, mean: Tensor, root: Tensor, shift: Tensor, turn: Tensor, overlap: Tensor) -> Tensor:
    centred = a.double() - mean
    spread = root.square().sum(0)  # the eigenvalues, as root = V sqrt(values)
    inverse = torch.where(spread > 1e-10 * spread.max(), 1 / spread.clamp_min(1e-300), 0)
    whitened = centred @ (root * inverse) @ turn  # L⁻¹ (x - μ), turned
    return _centred(2 * centred @ shift + centred.square().sum(1) - whitened.square() @ overlap)


def _pulled(*pulls: Tensor) -> float:
    """The standard error of a value on which pictures pull, each set for itself.

    Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 22; of a distance near 0 it is too large
    rather than too small, as is the jackknife's, which it is to first order (Efron & Stein 1981).
    """
    return math.sqrt(sum(float(pull.square().sum()) / len(pull) ** 2 for pull in pulls))


def _kernel_rows(a: Tensor, b: Tensor, degree: int, *, own: bool = False) -> Tensor:
    """Mean kernel value of every row of ``a`` with the rows of ``b`` (with the others, if ``b`` is its own set)."""
    sums = [((rows @ b.T) / a.shape[1] + 1).pow(degree).sum(1) for rows in a.split(ROWS)]
    if not own:
        return torch.cat(sums) / len(b)
    return (torch.cat(sums) - (a.square().sum(1) / a.shape[1] + 1).pow(degree)) / (len(b) - 1)


def _centred(values: Tensor) -> Tensor:
    return values - values.mean()

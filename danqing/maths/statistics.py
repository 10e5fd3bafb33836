"""How far apart two sets of pictures are, as distances between their features; float64 inside.

Each statistic is an :class:`Estimate`: its value and, for every picture of either set, how much that picture pulls on
it (its empirical influence). Resampling the pulls instead of the pictures gives the bootstrap interval at the price of
a mean. It also keeps the interval around the value: resampled pictures repeat, which alone would raise a Fréchet
distance of 2,000 pictures well above itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import ParameterError, TooFewPictures

ROWS = 1024  # rows of a distance or kernel matrix that are held at once
DRAWN = 1_000_000  # bootstrap places that are held at once


class Estimate(NamedTuple):
    """A statistic of one or two sets of pictures.

    ``pulls`` holds one float64 vector a set: each picture's empirical influence on the value, of mean zero. A set
    taken as given (a reference that only sets the scale) has no vector.
    """

    value: float
    pulls: tuple[Tensor, ...]

    def interval(self, seed: int = 0, draws: int = 1000, level: float = 0.95) -> tuple[float, float]:
        """Find the percentile bootstrap interval by resampling the pulls; the bias of the value is not in it.

        Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13 (percentiles) and ch. 22 (influence).
        """
        rng = torch.Generator().manual_seed(seed)
        moved = torch.full((draws,), self.value, dtype=torch.float64)
        for pull in self.pulls:
            for some in moved.split(max(1, DRAWN // len(pull))):
                some += pull[torch.randint(len(pull), (len(some), len(pull)), generator=rng)].mean(1)
        tail = (1 - level) / 2
        low, high = torch.quantile(moved, torch.tensor([tail, 1 - tail], dtype=torch.float64)).tolist()
        return low, high


def mean_of(values: Tensor) -> Estimate:
    """The mean of one figure a picture; its bootstrap interval is the ordinary one."""
    values = values.double()
    mean = values.mean()
    return Estimate(mean.item(), (values - mean,))


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

    The pull of a picture is the derivative of :func:`gaussian_frechet`: 2 (μ1 - μ2) to the mean and I - T to the
    covariance, where T is the linear map that carries one Gaussian to the other. Along directions in which a set does
    not vary the derivative does not exist and is left out.

    Raises:
        TooFewPictures: unless N and M exceed D: fewer leave the covariance without full rank, and the number would
            measure how few there are.

    Source: Heusel et al. 2017, eq. 6; the derivative: danqing, from Bhatia, Jain & Lim 2019, On the Bures-Wasserstein
    distance, eq. 56.
    """
    need_for_frechet(a.shape[1], len(a), len(b))
    (mean1, cov1), (mean2, cov2) = moments(a), moments(b)
    root1, root2 = _root(cov1), _root(cov2)
    left, overlap, right = torch.linalg.svd(root1.T @ root2)
    shift = mean1 - mean2
    pulls = (
        _frechet_pull(a, mean1, root1, shift, left, overlap),
        _frechet_pull(b, mean2, root2, -shift, right.T, overlap),
    )
    return Estimate(_frechet(shift, cov1, cov2, overlap.sum()), pulls)


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
    value = within_a.mean() + within_b.mean() - 2 * across_a.mean()
    pulls = (2 * _centred(within_a - across_a), 2 * _centred(within_b - across_b))
    return Estimate(value.item(), pulls)


def classifier_score(probabilities: Tensor, splits: int = 1) -> Estimate:
    """Score class probabilities (N, K) as exp of the mean KL divergence from their mean: 1 to K, large is good.

    It asks that each picture be recognised with certainty and that all classes occur, and nothing of likeness to data.

    Args:
        probabilities: rows that sum to 1.
        splits: number of equal parts whose scores are averaged (10 in the paper; each part then has its own mean).

    Source: Salimans et al. 2016, Improved techniques for training GANs, section 4.
    """
    logs, pulls, values = probabilities.double().clamp_min(1e-300).log(), [], []
    for p, log_p in zip(probabilities.double().chunk(splits), logs.chunk(splits), strict=True):
        divergence = (p * (log_p - p.mean(0).clamp_min(1e-300).log())).sum(1)
        values.append(divergence.mean().exp())
        pulls.append(_centred(divergence) * values[-1])
    return Estimate(torch.stack(values).mean().item(), (torch.cat(pulls),))


def nearest(a: Tensor, b: Tensor, k: int = 1, *, others: bool = False) -> tuple[Tensor, Tensor]:
    """Find the ``k`` nearest rows of ``b`` to each row of ``a``: Euclidean distances and indices (N, k), nearest first.

    Args:
        a: features (N, D).
        b: features (M, D).
        k: how many.
        others: ``b`` is ``a``, and a row is no neighbour of itself.

    Raises:
        TooFewPictures: if ``b`` has fewer than ``k``.
    """
    if len(b) < k + others:
        raise TooFewPictures(f"{k} nearest neighbours need a set of at least {k + others} pictures, not {len(b)}")
    found = [_without_own(rows, at, others).topk(k, largest=False) for at, rows in _squared_distances(a, b)]
    return torch.cat([f.values for f in found]).sqrt(), torch.cat([f.indices for f in found])


def precision_recall_density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, Estimate]:
    """Ask how many fakes lie among the reals, and how many reals have fakes around them.

    Around every picture stands a ball that reaches its k-th nearest neighbour in its own set. ``precision``: share of
    fakes inside any real ball; ``recall``: share of reals inside any fake ball; ``density``: real balls around a fake,
    divided by k (an outlier's huge ball counts once; may exceed 1); ``coverage``: share of real balls that hold a fake.
    Intervals take the other set as given.

    Raises:
        TooFewPictures: unless both sets have more than k.

    Source: Kynkäänniemi et al. 2019, Improved precision and recall metric, eq. 1–3; Naeem et al. 2020, Reliable
    fidelity and diversity metrics, eq. 3–4.
    """
    rounding = 1e-12 * real.double().var(0).sum()  # so that a duplicate counts as inside a ball of radius zero
    real_reach = nearest(real, real, k, others=True)[0][:, -1:].square() + rounding
    fake_reach = nearest(fake, fake, k, others=True)[0][:, -1].square() + rounding
    around_fake = torch.zeros(len(fake), dtype=torch.float64)
    covered, recalled = [], []
    for at, squares in _squared_distances(real, fake):
        inside = squares <= real_reach[at : at + ROWS]
        around_fake += inside.sum(0)
        covered.append(inside.any(1))
        recalled.append((squares <= fake_reach).any(1))
    return {
        "precision": mean_of(around_fake > 0),
        "recall": mean_of(torch.cat(recalled)),
        "density": mean_of(around_fake / k),
        "coverage": mean_of(torch.cat(covered)),
    }


def _frechet(shift: Tensor, cov1: Tensor, cov2: Tensor, overlap: Tensor) -> float:
    return max((shift.square().sum() + cov1.double().trace() + cov2.double().trace() - 2 * overlap).item(), 0.0)


def _root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance.double())
    root: Tensor = vectors * values.clamp_min(0).sqrt()
    return root


def _frechet_pull(a: Tensor, mean: Tensor, root: Tensor, shift: Tensor, turn: Tensor, overlap: Tensor) -> Tensor:
    centred = a.double() - mean
    spread = root.square().sum(0)  # the eigenvalues, as root = V sqrt(values)
    inverse = torch.where(spread > 1e-10 * spread.max(), 1 / spread.clamp_min(1e-300), 0)
    whitened = centred @ (root * inverse) @ turn  # L⁻¹ (x - μ), turned
    return _centred(2 * centred @ shift + centred.square().sum(1) - whitened.square() @ overlap)


def _kernel_rows(a: Tensor, b: Tensor, degree: int, *, own: bool = False) -> Tensor:
    """Mean kernel value of every row of ``a`` with the rows of ``b`` (with the others, if ``b`` is its own set)."""
    sums = [((rows @ b.T) / a.shape[1] + 1).pow(degree).sum(1) for rows in a.split(ROWS)]
    if not own:
        return torch.cat(sums) / len(b)
    return (torch.cat(sums) - (a.square().sum(1) / a.shape[1] + 1).pow(degree)) / (len(b) - 1)


def _squared_distances(a: Tensor, b: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Yield (first row, squared distances of up to ROWS rows of ``a`` to all of ``b``)."""
    if a.shape[1] != b.shape[1]:
        raise ParameterError(f"features differ in dimension: {a.shape[1]} and {b.shape[1]}")
    centre = b.double().mean(0)  # keeps the three terms of the binomial small, and so their cancellation exact
    a, b = a.double() - centre, b.double() - centre
    norms = b.square().sum(1)
    for at in range(0, len(a), ROWS):
        rows = a[at : at + ROWS]
        yield at, (rows.square().sum(1, keepdim=True) + norms - 2 * rows @ b.T).clamp_min_(0)


def _without_own(squares: Tensor, at: int, others: bool) -> Tensor:
    if others:
        squares.diagonal(at).fill_(torch.inf)
    return squares


def _centred(values: Tensor) -> Tensor:
    return values - values.mean()

"""How sure a figure is: 95 % intervals that hold what the figure is an estimate of.

Figures of sets of pictures whose pictures do not count one by one (neighbours, whose reach depends on all) are left to
the jackknife: the figure is computed anew without each of :data:`GROUPS` groups of pictures. Resampling with
replacement would not do: pictures that occur twice are their own nearest neighbours (A. Abadie, G. Imbens, "On the
failure of the bootstrap for matching estimators", 2008), whereas the variance that the jackknife tells is at least the
true one in the mean, whatever the figure (B. Efron, C. Stein, "The jackknife estimate of variance", 1981).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

GROUPS = 20  # groups that the jackknife leaves out in turn
LEVEL = 0.95
Bounds = tuple[float, float]


class Estimate(NamedTuple):
    """A figure of so many ``pictures``, and how its interval is found, given a seed; only where that is asked for."""

    value: float
    pictures: int
    bounds: Callable[[int], Bounds]

    def interval(self, seed: int = 0) -> Bounds:
        """The 95 % interval, lower and upper end; the seed fixes how pictures are divided into groups."""
        return self.bounds(seed)


def share_of(hits: Tensor) -> Estimate:
    """The share of pictures (N,) of which something holds, each independent of the others.

    Source: C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
    1934: of shares near 0 and 1, as of classes that are nearly always named rightly, shorter intervals hold the truth
    too seldom (L. Brown, T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", 2001).
    """
    held, count = int(hits.sum()), len(hits)
    return Estimate(held / count, count, lambda seed: _exact(held, count - held))


def around(value: float, error: float, degrees: float) -> Bounds:
    """Find Student's interval for a value whose standard error was estimated with so many degrees of freedom."""
    reach = error * _quantile(degrees)
    return value - reach, value + reach


def groups_of(count: int, groups: int, seed: int) -> Tensor:
    """Divide ``count`` pictures at random: the number (count,) of each one's group, as even as can be."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)) % groups


def group_count(*counts: int) -> int:
    """Into how many groups sets of these sizes are divided, none of them empty."""
    return min(GROUPS, *counts)


def jackknife_error(without: Tensor) -> float:
    """The standard error of a figure, from the figures (G,) without each group.

    Source: Efron & Stein 1981, eq. 1.4, for groups.
    """
    groups = len(without)
    return float(((groups - 1) / groups * (without.double() - without.double().mean()).square().sum()).sqrt())


def jackknifed(value: float, without: Tensor) -> Bounds:
    """Find the interval of a figure from the figures (G,) without each group."""
    return around(value, jackknife_error(without), len(without) - 1)


def jackknifed_share(value: float, count: int, without: Tensor) -> Bounds:
    """Find the interval of a share of ``count`` pictures that are not independent; it stays in [0, 1].

    That of so many independent trials as would have the jackknife's error, but never more than there are.

    Source: Clopper & Pearson 1934; the number of trials: E. Korn, B. Graubard, "Confidence intervals for proportions
    with small expected number of positive counts estimated from survey data", 1998, section 2.
    """
    error = jackknife_error(without)
    trials = min(count, value * (1 - value) / error**2) if error > 0 and 0 < value < 1 else count
    trials *= (_quantile(count - 1) / _quantile(len(without) - 1)) ** 2
    return _exact(value * trials, (1 - value) * trials)


def _exact(hits: float, misses: float) -> Bounds:
    """The interval of Clopper and Pearson, by SciPy's quantiles of the beta distribution."""
    from scipy.special import betaincinv

    tail = (1 - LEVEL) / 2
    low = float(betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - tail)) if misses > 0 else 1.0
    return low, high


def _quantile(degrees: float) -> float:
    """By how many standard errors Student's interval reaches."""
    from scipy.special import stdtrit

    return float(stdtrit(max(degrees, 1), (1 + LEVEL) / 2))


__all__ = [
    "Estimate",
    "around",
    "group_count",
    "groups_of",
    "jackknife_error",
    "jackknifed",
    "jackknifed_share",
    "share_of",
]

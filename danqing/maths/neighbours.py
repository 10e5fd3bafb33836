"""What lies near what among features: nearest neighbours, and the scores that ask for them; float64 inside."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from danqing.core.errors import ParameterError, TooFewPictures
from danqing.maths.intervals import Bounds, Estimate, group_count, groups_of, jackknifed, jackknifed_share

ROWS = 1024  # rows of a distance matrix that are held at once
SPARE = 4  # times as many neighbours are known as are needed, so that some may be left out
LEFT_OUT = -1.0  # squared reach of a picture that is left out: nothing is as near


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


def precision_recall_density_coverage(
    real: Tensor, fake: Tensor, k: int = 5, parts: Mapping[str, Tensor] | None = None
) -> dict[str, Estimate]:
    """Ask how many fakes lie among the reals, and how many reals have fakes around them.

    Around every picture stands a ball that reaches its k-th nearest neighbour in its own set. ``precision``: share of
    fakes inside any real ball; ``recall``: share of reals inside any fake ball; ``density``: real balls around a fake,
    divided by k (an outlier's huge ball counts once; may exceed 1); ``coverage``: share of real balls that hold a fake.
    Intervals are those of the jackknife that leaves out pictures of both sets.

    Args:
        real: features (N, D).
        fake: features (M, D).
        k: neighbours that a ball reaches.
        parts: some of the reals (N,), bool, by name: each adds its own ``coverage of`` that name.

    Raises:
        TooFewPictures: unless both sets have more than k.

    Source: Kynkäänniemi et al. 2019, Improved precision and recall metric, eq. 1–3; Naeem et al. 2020, Reliable
    fidelity and diversity metrics, eq. 3–4.
    """
    balls = _Balls.around(real, k), _Balls.around(fake, k)
    whole = _met(real, fake, [(balls[0].reach(), balls[1].reach())])[0]
    without = functools.cache(lambda seed: _met_without_each(real, fake, balls, seed))
    figures: dict[str, Callable[[_Met], Tensor]] = {
        "precision": lambda met: met.around.clamp(max=1),
        "recall": lambda met: met.recalled,
        "density": lambda met: met.around / k,
        "coverage": lambda met: met.covered,
    }
    for name, some in (parts or {}).items():
        figures[f"coverage of {name}"] = functools.partial(_covered, some=some)
    return {name: _estimate(figure, whole, without, name != "density") for name, figure in figures.items()}


def copied_share(fake: Tensor, train: Tensor) -> Estimate:
    """Ask which share of fakes (N, D) is nearer to a training picture (M, D) than its nearest fellow is.

    Raises:
        TooFewPictures: for fewer than two training pictures.

    Source: Alaa et al. 2022, How faithful is your synthetic data?, section 4.3.
    """
    near = nearest(fake, train, min(SPARE, len(train)))
    used, place = near[1].unique(return_inverse=True)
    fellows = _fellows(train, used)

    def copied(left_out: Tensor) -> Tensor:
        """Which fakes (N,) are so without some training pictures (M,)."""
        distance, at = _first(near[0], left_out[near[1]])
        apart, _ = _first(fellows[0], left_out[fellows[1]])
        return distance < apart[place.gather(1, at[:, None])[:, 0]]

    def bounds(seed: int) -> Bounds:
        groups = group_count(len(fake), len(train))
        mine, theirs = groups_of(len(fake), groups, seed), groups_of(len(train), groups, seed + 1)
        without = [copied(theirs == group)[mine != group].double().mean() for group in range(groups)]
        return jackknifed_share(value, len(fake), torch.stack(without))

    value = float(copied(torch.zeros(len(train), dtype=torch.bool)).double().mean())
    return Estimate(value, len(fake), bounds)


class _Met(NamedTuple):
    """What balls hold: ``around`` (M,), real balls around each fake; ``recalled`` and ``covered`` (N,), 0 or 1.

    Of pictures that are left out it is NaN.
    """

    around: Tensor
    recalled: Tensor
    covered: Tensor


class _Balls(NamedTuple):
    """The nearest others of every picture of a set: squared distances and indices (N, K), more than k where possible.

    ``more`` is added to a squared reach, so that a duplicate counts as inside a ball of radius zero.
    """

    squares: Tensor
    at: Tensor
    k: int
    more: Tensor

    @classmethod
    def around(cls, a: Tensor, k: int) -> _Balls:
        distances, at = nearest(a, a, max(k, min(SPARE * k, len(a) - 1)), others=True)
        return cls(distances.square(), at, k, 1e-12 * a.double().var(0).sum())

    def reach(self, left_out: Tensor | None = None) -> Tensor:
        """The squared reach (N,) of balls, without those left out (N,)."""
        if left_out is None:
            return self.squares[:, self.k - 1] + self.more
        reach, _ = _first(self.squares, left_out[self.at], self.k)
        return torch.where(left_out, LEFT_OUT, reach + self.more)


def _met(real: Tensor, fake: Tensor, reaches: list[tuple[Tensor, Tensor]]) -> list[_Met]:
    """What balls of these squared reaches hold, of the reals and of the fakes, in one pass over all distances."""
    around = [torch.zeros(len(fake), dtype=torch.float64) for _ in reaches]
    recalled, covered = (torch.zeros(len(reaches), len(real), dtype=torch.float64) for _ in range(2))
    for at, squares in _squared_distances(real, fake):
        rows = slice(at, at + len(squares))
        for case, (of_real, of_fake) in enumerate(reaches):
            inside = squares <= of_real[rows, None]
            around[case] += inside.sum(0)
            covered[case, rows] = (inside & (of_fake >= 0)).any(1).double()
            recalled[case, rows] = (squares <= of_fake).any(1).double()
    met = []
    for case, (of_real, of_fake) in enumerate(reaches):
        planes = (around[case], of_fake), (recalled[case], of_real), (covered[case], of_real)
        met.append(_Met(*(torch.where(reach >= 0, plane, torch.nan) for plane, reach in planes)))
    return met


def _met_without_each(real: Tensor, fake: Tensor, balls: tuple[_Balls, _Balls], seed: int) -> list[_Met]:
    """What balls hold without each group of pictures of both sets."""
    groups = group_count(len(real), len(fake))
    mine, theirs = groups_of(len(real), groups, seed), groups_of(len(fake), groups, seed + 1)
    reaches = [(balls[0].reach(mine == group), balls[1].reach(theirs == group)) for group in range(groups)]
    return _met(real, fake, reaches)


def _estimate(
    figure: Callable[[_Met], Tensor], whole: _Met, without: Callable[[int], list[_Met]], is_share: bool
) -> Estimate:
    each = figure(whole)
    value, count = float(each.mean()), len(each)

    def bounds(seed: int) -> Bounds:
        means = torch.stack([figure(met).nanmean() for met in without(seed)]).nan_to_num(value)
        return jackknifed_share(value, count, means) if is_share else jackknifed(value, means)

    return Estimate(value, count, bounds)


def _covered(met: _Met, some: Tensor) -> Tensor:
    return met.covered[some]


def _fellows(train: Tensor, used: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest others of some training pictures, distances and indices (U, K)."""
    distances, at = nearest(train[used], train, min(SPARE + 1, len(train)))
    if len(train) < 2:
        raise TooFewPictures("a copy is told by the distance of two training pictures at least")
    own = at == used[:, None]
    own[:, -1] |= ~own.any(1)  # a picture among equal ones need not be among its own nearest
    order = own.byte().argsort(dim=1, stable=True)[:, :-1]
    return distances.gather(1, order), at.gather(1, order)


def _first(distances: Tensor, left_out: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """The k-th of rising distances (N, K) that is not left out, and its place in the row; the last if few are left."""
    there = (~left_out).cumsum(1) >= k
    there[:, -1] = True
    place = there.byte().argmax(1)
    return distances.gather(1, place[:, None])[:, 0], place


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


__all__ = ["copied_share", "nearest", "precision_recall_density_coverage"]

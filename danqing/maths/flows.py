"""Rectified flow: straight ways from noise to pictures, which noise belongs to which picture, and how ways are gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Generator as Stations
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

from danqing.core.errors import ParameterError

Solver = Literal["euler", "heun", "adams"]
Velocity = Callable[[Tensor, float], Tensor]
FOLLOWED = 2.0
EASE = 0.4
"""How far Adams' steps are shorter at both ends of the way, where ways bend most; 0: all alike, 1: none at the ends."""


def guidance_of(label: str | None, given: float | None) -> float:
    """How far a class is followed where that is asked for; by itself, :data:`FOLLOWED`.

    Raises:
        ParameterError: for a guidance without a class.
    """
    if given is not None and label is None:
        remedy = "Say which with label, or leave guidance out"
        raise ParameterError("is how far a class is followed, and none is said", where="guidance", remedy=remedy)
    return FOLLOWED if given is None else given


def on_the_way(noise: Tensor, x: Tensor, t: Tensor) -> Tensor:
    """What stands ``t`` (B,) in [0, 1] of the way from noise to pictures (B, …).

    Source: Liu et al. 2023 (rectified flow), eq. 1.
    """
    return torch.lerp(noise, x, t.view(-1, *[1] * (x.ndim - 1)))


def drawn_times(count: int, rng: Generator) -> Tensor:
    """Draw times (count,) in (0, 1), most of them in the middle of the way, where most is to be learned.

    Source: Esser et al. 2024 (Stable Diffusion 3), section 3.1, the logit-normal density with mean 0 and deviation 1.
    """
    return torch.randn(count, generator=rng, device=rng.device).sigmoid()


def nearest_noise(noise: Tensor, x: Tensor, label: Tensor | None = None) -> Tensor:
    """Give each picture (B, …) of a batch the noise that makes all ways together shortest, within each class.

    Source: Pooladian et al. 2023 and Tong et al. 2024 (minibatch optimal transport).
    """
    from scipy.optimize import linear_sum_assignment

    given = noise.clone()
    groups = (
        [torch.arange(len(x))] if label is None else [torch.nonzero(label == each)[:, 0] for each in label.unique()]
    )
    for group in groups:
        costs = torch.cdist(x[group].flatten(1).float(), noise[group].flatten(1).float())
        rows, columns = linear_sum_assignment(costs.square().cpu().numpy())
        given[group[torch.from_numpy(rows)]] = noise[group[torch.from_numpy(columns)]]
    return given


def travelled(velocity: Velocity, x: Tensor, steps: int, solver: Solver = "euler", start: float = 0.0) -> Tensor:
    """Go from what stands at ``start`` of the way to its end.

    Args:
        velocity: of (B, …) at a time.
        x: where the way begins (B, …).
        steps: into which what is left is divided.
        solver: Euler asks for the velocity once a step, Heun twice (but once in the last step), Adams once, and goes on
            as it changed since the step before.
        start: 0 (noise) … 1 (picture).

    Source: Euler's, Heun's and the two-step Adams–Bashforth method; Karras et al. 2022 (EDM), algorithm 1, for Heun's
    last step.
    """
    (*_, (_, end)) = travelling(velocity, x, steps, solver, start)
    return end


def returned(velocity: Velocity, x: Tensor, steps: int, solver: Solver = "euler", rounds: int = 5) -> Tensor:
    """Where a way begins that ends at ``x``, to the precision of so many rounds: :func:`travelled`, undone.

    Source: fixed points of each step, as in Hong et al. 2024, arXiv:2311.17901 (exact inversion of solvers); of Adams'
    steps, which know the one before, all at once.
    """
    strides = list(pairwise(_times(steps, solver)))
    if solver == "adams":
        return _returned_by_adams(velocity, x, strides, rounds)
    for now, then in reversed(strides):
        before = x
        for _ in range(rounds):
            before = x - (then - now) * _mean_speed(velocity, before, now, then, solver)
        x = before
    return x


def _returned_by_adams(velocity: Velocity, x: Tensor, strides: Sequence[tuple[float, float]], rounds: int) -> Tensor:
    """The whole way back so many times, each as the speeds say that were met the time before."""
    speeds: list[Tensor | None] = [None] * len(strides)
    for _ in range(rounds):
        at = x
        for step in reversed(range(len(strides))):
            now, then = strides[step]
            speed, last = speeds[step], speeds[step - 1] if step else None
            if speed is None:
                speed = velocity(at, now)
            if last is not None:
                speed = _as_it_changes(speed, last, strides[step - 1], strides[step])
            at = at - (then - now) * speed
            speeds[step] = velocity(at, now)
    return at


def travelling(
    velocity: Velocity, x: Tensor, steps: int, solver: Solver = "euler", start: float = 0.0
) -> Stations[tuple[float, Tensor], Tensor | None, None]:
    """The stations of :func:`travelled`, as (time, where); what is sent back takes the place of where it is."""
    last: tuple[Tensor, tuple[float, float]] | None = None
    for now, then in pairwise(_times(steps, solver, start)):
        met = speed = _mean_speed(velocity, x, now, then, solver)
        if solver == "adams":
            if last is not None:
                speed = _as_it_changes(met, *last, (now, then))
            last = met, (now, then)
        ahead = x + (then - now) * speed
        sent = yield then, ahead
        x = ahead if sent is None else sent


def _times(steps: int, solver: Solver, start: float = 0.0) -> list[float]:
    """When steps begin and end: plain numbers also while a graph is traced for export."""
    even = np.linspace(0, 1, steps + 1)
    shares = even + EASE * (even**2 * (3 - 2 * even) - even) if solver == "adams" else even
    times: list[float] = (start + (1 - start) * shares).tolist()
    return times


def _mean_speed(velocity: Velocity, x: Tensor, now: float, then: float, solver: Solver) -> Tensor:
    """The speed of a step from ``x``: that of its beginning, or of both its ends."""
    speed = velocity(x, now)
    if solver == "heun" and then < 1:
        speed = (speed + velocity(x + (then - now) * speed, then)) / 2
    return speed


def _as_it_changes(speed: Tensor, last: Tensor, before: tuple[float, float], step: tuple[float, float]) -> Tensor:
    """The speed in the middle of a step, if it goes on to change as it did since the step before began."""
    share = (step[1] - step[0]) / (before[1] - before[0]) / 2
    return speed + share * (speed - last)

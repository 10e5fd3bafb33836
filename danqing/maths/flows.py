"""Rectified flow: straight ways from noise to pictures, which noise belongs to which picture, and how ways are gone."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Generator as Stations
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

Solver = Literal["euler", "heun"]
Velocity = Callable[[Tensor, float], Tensor]


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
        solver: Euler asks for the velocity once a step, Heun twice (but once in the last step).
        start: 0 (noise) … 1 (picture).

    Source: Euler's and Heun's methods; Karras et al. 2022 (EDM), algorithm 1, for the last step.
    """
    (*_, (_, end)) = travelling(velocity, x, steps, solver, start)
    return end


def returned(velocity: Velocity, x: Tensor, steps: int, solver: Solver = "euler", rounds: int = 5) -> Tensor:
    """Where a way begins that ends at ``x``, to the precision of so many rounds a step: :func:`travelled`, undone.

    Source: fixed points of each step, as in Hong et al. 2024, arXiv:2311.17901 (exact inversion of solvers).
    """
    times = np.linspace(0, 1, steps + 1).tolist()
    for then, now in pairwise(reversed(times)):
        before = x
        for _ in range(rounds):
            before = x - _stride(velocity, before, now, then, solver)
        x = before
    return x


def travelling(
    velocity: Velocity, x: Tensor, steps: int, solver: Solver = "euler", start: float = 0.0
) -> Stations[tuple[float, Tensor], Tensor | None, None]:
    """The stations of :func:`travelled`, as (time, where); what is sent back takes the place of where it is."""
    times = np.linspace(start, 1, steps + 1).tolist()  # plain numbers also while a graph is traced for export
    for now, then in pairwise(times):
        ahead = x + _stride(velocity, x, now, then, solver)
        sent = yield then, ahead
        x = ahead if sent is None else sent


def _stride(velocity: Velocity, x: Tensor, now: float, then: float, solver: Solver) -> Tensor:
    """How far a step goes from ``x``."""
    speed = velocity(x, now)
    if solver == "heun" and then < 1:
        speed = (speed + velocity(x + (then - now) * speed, then)) / 2
    return (then - now) * speed

"""Where samples should drift: towards real ones, away from each other; and which real ones have no sample near them.

A view (L, N, D) holds what is seen of N pictures in L places, D numbers of each; places do not mix.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from danqing.maths.full_precision import full_precision

TEMPERATURES = (0.02, 0.05, 0.2)  # of the mean distance between real and painted
FAR = 1e4  # what is never looked at
TINY = 1e-6


@full_precision
def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances (L, N, M) of all of a view (L, N, D) to all of another (L, M, D)."""
    squares = a.square().sum(2, keepdim=True) + b.square().sum(2).unsqueeze(1) - 2 * a @ b.mT
    return squares.clamp(min=0).sqrt()


@full_precision
def drift_field(
    x: Tensor,
    real: Tensor,
    painted: Tensor,
    *,
    apart: tuple[Tensor, Tensor] | None = None,
    temperatures: tuple[float, ...] = TEMPERATURES,
) -> list[Tensor]:
    """The way that each of ``x`` (L, N, D) should go: to the real ones near it, away from the painted ones near it.

    It is nought where the real and the painted are the same set, and so it is for two sets of one distribution as they
    grow.

    Args:
        x: what is moved.
        real: (L, M, D), what pulls.
        painted: (L, K, D), what pushes.
        apart: which of the real (N, M) and of the painted (N, K) a sample does not look at: those of other classes, and
            itself.
        temperatures: how far it looks, each as a share of the mean distance to what is real.

    Returns:
        A field (L, N, D) for each temperature, in the unit of ``x``.

    Source: Deng et al. 2026, "Generative modeling via drifting" (there kernels are normalised over both sets);
    here the pull and the push are normalised apart, so that a sample without neighbours is pulled no less.
    """
    to_real, to_painted = distances(x, real), distances(x, painted)
    unit = to_real.mean().clamp(min=TINY)
    fields = []
    for each in temperatures:
        near = [-part / (each * unit) for part in (to_real, to_painted)]
        if apart is not None:
            near = [part.masked_fill(hidden, -FAR) for part, hidden in zip(near, apart, strict=True)]
        fields.append(_weights(near[0]) @ real - _weights(near[1]) @ painted)
    return fields


def _weights(near: Tensor) -> Tensor:
    """What each sample (rows) looks at, so that what many look at counts less for each of them."""
    logits = (near.log_softmax(2) + near.log_softmax(1)) / 2
    return logits.softmax(2)


@full_precision
def steered(x: Tensor, fields: list[Tensor]) -> Tensor:
    """The loss (scalar) whose gradient leads ``x`` (L, N, D) along its fields, each brought to a mean square of 1."""
    way = sum((each / each.square().mean().sqrt().clamp(min=TINY) for each in fields), torch.zeros_like(x)).detach()
    unit = x.detach().std().clamp(min=TINY)
    return ((x - x.detach()) / unit - way / len(fields)).square().mean()


def balanced(made: Tensor, pulls: Callable[[Tensor], list[Tensor]]) -> Tensor:
    """A loss whose gradient at pictures is the sum of those of several losses, each brought to a mean square of 1.

    Else a net's gradient, which is large from one pixel to the next, drowns what says which colour is where, and what
    the net's strides do to it stays as a grid. The gradient is divided by how many numbers the pictures have.

    Args:
        made: (B, C, H, W), what gradients go to.
        pulls: the losses (scalars) of pictures.
    """
    x = made.detach().requires_grad_()
    losses = pulls(x)
    slopes = [torch.autograd.grad(loss, x)[0] for loss in losses]
    way = sum((each / each.square().mean().sqrt().clamp(min=TINY**2) for each in slopes), torch.zeros_like(x))
    return torch.stack(losses).mean().detach() + ((made - x.detach()) * way).mean()


@full_precision
def lonely_pairs(to_painted: Tensor, rejected: float) -> Tensor:
    """For each real picture the nearest of the painted that are not near one already.

    Args:
        to_painted: distances (N, M) of real to painted; infinite where they must not be paired.
        rejected: share of the painted that is passed over: those nearest to anything real; one at least stays.

    Returns:
        Which painted (N,), int64.

    Source: Li & Malik 2018, "Implicit maximum likelihood estimation", algorithm 1; Vashist et al. 2024
    (RS-IMLE), whose radius is here a share.
    """
    count = min(round(rejected * to_painted.shape[1]), to_painted.shape[1] - 1)
    near = to_painted.min(0).values.argsort()[:count]
    left = to_painted.clone()
    left[:, near] += to_painted[to_painted.isfinite()].max() + 1  # after all others, and still before none at all
    return left.argmin(1)


__all__ = ["TEMPERATURES", "TINY", "balanced", "distances", "drift_field", "lonely_pairs", "steered"]

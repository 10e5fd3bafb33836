"""The operator total_variation."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator(reach=lambda steps: steps + 1)
def total_variation(
    x: Images,
    strength: Annotated[float, Range(0, 10)] = 0.1,
    steps: Annotated[int, Range(1, 1000)] = 60,
) -> Images:
    """Flatten noise into plain areas with sharp borders by minimising the total variation.

    Finds the picture u that makes half the squared distance to x plus ``strength`` times the sum of the sizes of all
    gradients of u smallest. The gradient of a colour picture is taken over its channels together, so that edges of the
    channels stay in one place.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: weight of the variation; about the standard deviation of the noise in image units, 0 changes nothing.
        steps: of the minimisation; the error falls with their square.

    Returns:
        Pictures of the same size and of the same mean.

    Source: L. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms", 1992; colour: P.
        Blomgren, T. Chan, "Color TV", 1998 (the channels' gradients as one vector: X. Bresson, T. Chan, 2008);
        minimised in the dual by A. Beck, M. Teboulle, "Fast gradient-based algorithms for constrained total variation
        image denoising and deblurring problems", 2009, section 4.1.

    Examples:
        danqing total_variation photo.png --strength 0.08 --out plain.png
    """
    if strength == 0:
        return x.clone()
    p = x.new_zeros(2, *x.shape)  # the dual field: one vector a pixel and channel
    ahead, momentum = p, 1.0
    for _ in range(steps):
        u = _divergence(ahead).mul_(strength).add_(x)
        new = _gradient(u).mul_(1 / (8 * strength)).add_(ahead)  # 8 bounds the squared norm of the gradient
        new /= new.square().sum((0, 2), keepdim=True).sqrt_().clamp_(min=1)
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        ahead = new + (momentum - 1) / following * (new - p)
        p, momentum = new, following
    return _divergence(p).mul_(strength).add_(x).clamp_(0, 1)


def _gradient(u: Tensor) -> Tensor:
    """Differences to the pixel below and to the right (2, B, C, H, W), zero at the last."""
    g = u.new_zeros(2, *u.shape)
    torch.sub(u[..., 1:, :], u[..., :-1, :], out=g[0, ..., :-1, :])
    torch.sub(u[..., :, 1:], u[..., :, :-1], out=g[1, ..., :, :-1])
    return g


def _divergence(p: Tensor) -> Tensor:
    """The negative adjoint of :func:`_gradient`."""
    d = p[0] + p[1]
    d[..., 1:, :] -= p[0, ..., :-1, :]
    d[..., :, 1:] -= p[1, ..., :, :-1]
    return d

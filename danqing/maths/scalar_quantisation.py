"""Finite scalar quantisation: each number of a latent becomes one of a few levels, and slopes pass as if it had not."""

from __future__ import annotations

from torch import Tensor


def levelled(z: Tensor, levels: int) -> Tensor:
    """Bring numbers to the nearest of so many levels, evenly spaced in [-1, 1].

    Numbers are first squeezed into that range by a hyperbolic tangent, so that those of unit deviation use all levels.
    Gradients pass the rounding unchanged.

    Args:
        z: any shape.
        levels: how many, from 2.

    Source: Mentzer et al. 2023, "Finite scalar quantization: VQ-VAE made simple", arXiv:2309.15505, section 3; the
    straight-through gradient: Bengio et al. 2013.
    """
    half, shift = (levels - 1) / 2, ((levels - 1) % 2) / 2  # of an even number, the levels lie between whole numbers
    bounded = z.tanh() * half
    rounded = (bounded + shift).round().clamp(shift - half, half + shift) - shift
    return (bounded + (rounded - bounded).detach()) / half


__all__ = ["levelled"]

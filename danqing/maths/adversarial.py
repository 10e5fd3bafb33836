"""What a painter and its critic are judged by: losses on the critic's logits, and penalties on its slope."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

LossName = Literal["relativistic", "non-saturating", "least-squares", "hinge", "wasserstein"]
PenaltyName = Literal["r1+r2", "r1", "gradient", "none"]


def critic_loss(name: LossName, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Give the critic's loss, the mean over the batch.

    Args:
        name: the rule of the game.
        real: logits of real pictures (B,).
        fake: logits of painted pictures (B,).
        smoothing: how far the target of real pictures is from 1, in [0, 1) (one-sided label smoothing); it applies to
            the rules that have a target: non-saturating and least-squares.

    Source: relativistic: Jolicoeur-Martineau 2018, eq. 8, paired as in Huang et al. 2024 ("The GAN is dead"), eq. 2;
    non-saturating: Goodfellow et al. 2014, eq. 1; least-squares: Mao et al. 2017, eq. 8; hinge: Lim & Ye 2017, sec. 2;
    Wasserstein: Arjovsky et al. 2017, eq. 2; smoothing: Salimans et al. 2016, sec. 3.4.
    """
    real, fake = real.float(), fake.float()
    if name == "relativistic":
        return F.softplus(fake - real).mean()
    if name == "non-saturating":
        return (F.softplus(-real) + smoothing * real + F.softplus(fake)).mean()
    if name == "least-squares":
        return ((real - (1 - smoothing)).square().mean() + fake.square().mean()) / 2
    if name == "hinge":
        return (F.relu(1 - real) + F.relu(1 + fake)).mean()
    if name == "wasserstein":
        return (fake - real).mean()
    raise ValueError(f"{name} is none of {get_args(LossName)}")


def painter_loss(name: LossName, real: Tensor, fake: Tensor) -> Tensor:
    """Give the painter's loss, the mean over the batch; ``real`` matters only where the rule compares pairs.

    Args:
        name: the rule of the game.
        real: logits of real pictures (B,).
        fake: logits of painted pictures (B,).

    Source: as :func:`critic_loss`; non-saturating: Goodfellow et al. 2014, sec. 3; least-squares: Mao et al. 2017,
    eq. 9.
    """
    real, fake = real.float(), fake.float()
    if name == "relativistic":
        return F.softplus(real - fake).mean()
    if name == "non-saturating":
        return F.softplus(-fake).mean()
    if name == "least-squares":
        return (fake - 1).square().mean() / 2
    if name in ("hinge", "wasserstein"):
        return -fake.mean()
    raise ValueError(f"{name} is none of {get_args(LossName)}")


def falling(first: float, last: float, share: float) -> float:
    """Give what lies ``share`` (0…1 and beyond) of the way from ``first`` down to ``last`` on half a cosine.

    Source: Huang et al. 2024 ("The GAN is dead", R3GAN), appendix, for the penalty's strength.
    """
    return last + (first - last) * (1 + math.cos(math.pi * min(1.0, share))) / 2


def anchored(logits_real: Tensor, logits_fake: Tensor, anchor_real: float, anchor_fake: float) -> Tensor:
    """Pull the critic's logits of real pictures to where those of painted ones have been, and the other way round.

    Args:
        logits_real: of real pictures (B,).
        logits_fake: of painted pictures (B,).
        anchor_real: running mean of the logits of real pictures.
        anchor_fake: running mean of those of painted ones.

    Source: Tseng et al. 2021, "Regularizing Generative Adversarial Networks under Limited Data" (LeCam), eq. 5, with
    the one-sided distances of the authors' program.
    """
    real = F.relu(logits_real.float() - anchor_fake).square().mean()
    return real + F.relu(anchor_real - logits_fake.float()).square().mean()


def compares_pairs(name: LossName) -> bool:
    """Whether the painter's loss looks at real pictures too."""
    return name == "relativistic"


def slope(logits: Tensor, x: Tensor) -> Tensor:
    """Give the squared norm (B,) of the gradient of each picture's logit with respect to its pixels, differentiable.

    Args:
        logits: (B,), each computed from its own picture of ``x``.
        x: pictures (B, C, H, W) that require a gradient.
    """
    (gradient,) = torch.autograd.grad(logits.float().sum(), x, create_graph=True)
    return gradient.float().square().flatten(1).sum(1)


def flatness_penalty(squared_slope: Tensor, gamma: float) -> Tensor:
    """Penalise the critic's slope where it stands: R1 when taken at real pictures, R2 at painted ones.

    Args:
        squared_slope: of :func:`slope` (B,).
        gamma: strength.

    Source: Mescheder et al. 2018, eq. 9.
    """
    return gamma / 2 * squared_slope.mean()


def gradient_penalty(squared_slope: Tensor, strength: float) -> Tensor:
    """Keep the critic's slope near 1, between real and painted pictures.

    Args:
        squared_slope: of :func:`slope` at :func:`between` (B,).
        strength: strength.

    Source: Gulrajani et al. 2017 (WGAN-GP), eq. 3.
    """
    return strength * ((squared_slope + 1e-12).sqrt() - 1).square().mean()


def between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Give the points of the straight lines from painted to real pictures at ``share`` (B,) in [0, 1]."""
    return torch.lerp(fake, real, share.view(-1, *[1] * (real.ndim - 1)))

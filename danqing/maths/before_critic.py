"""Augmentations that do not leak into samples: before a critic, of real and painted pictures alike, differentiable;
and of pictures whose painter is told what was done to them.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.maths.full_precision import full_precision

Kind = Literal["none", "diff", "adaptive"]
LUMA = (0.299, 0.587, 0.114)  # of Rec. 601
SHIFT = 0.125  # of the side, at most
TOLD_CHANGES = 6  # numbers that tell what was done to a picture
HOLE = 0.5  # side of a hole, as a share of the picture's


@full_precision
def augmented(x: Tensor, kind: Kind, chance: float, rng: Generator) -> Tensor:
    """Change pictures (B, C, H, W) in [-1, 1] at random, each in its own way.

    Args:
        x: real or painted pictures.
        kind: "diff": colours, shift and a hole, of each picture, always; "adaptive": mirroring, quarter turns, shifts,
            scaling, rotation and colours, each of them with ``chance``.
        chance: of each change of "adaptive"; up to 0.8 what is painted stays unaugmented, since most pictures then
            still show which way is up.
        rng: draws them.

    Source: diff: Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", sec. 3; adaptive:
    Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix B (blit, geometry,
    colour). Both draw colours as the second does, and mirror pictures at edges that shifts have laid bare.
    """
    if kind == "diff":
        return _with_hole(_moved(_coloured(x, 1.0, rng), _shifts(x, 1.0, rng)), rng)
    if kind == "adaptive" and chance > 0:
        return _coloured(
            _moved(x, _turns(x, chance, rng) @ _stretches(x, chance, rng) @ _shifts(x, chance, rng)), chance, rng
        )
    return x


@full_precision
def augmented_and_told(x: Tensor, chance: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """Mirror, turn, stretch and shift pictures (B, C, H, W) at random, each in its own way, and tell how.

    Args:
        x: pictures, of any range.
        chance: of each change.
        rng: draws them.

    Returns:
        The pictures, and what was done to each, (B, TOLD_CHANGES): how far its affine matrix is from none; zeros where
        nothing was done.

    Source: Karras et al. 2022 (EDM), arXiv:2206.00364, appendix F.2; their changes told by their matrix.
    """
    matrices = _turns(x, chance, rng) @ _stretches(x, chance, rng) @ _shifts(x, chance, rng)
    told = (matrices - torch.eye(3, device=x.device))[:, :2].flatten(1)
    changed = told.abs().amax(1) > 0
    return torch.where(changed[:, None, None, None], _moved(x, matrices), x), told


def _turns(x: Tensor, chance: float, rng: Generator) -> Tensor:
    """Mirroring, quarter turns, and rotation by any angle."""
    mirror = 1 - 2 * _happens(x, chance, rng) * _uniform(x, rng).round()
    quarter = _happens(x, chance, rng) * (4 * _uniform(x, rng)).floor() * (math.pi / 2)
    # Two rotations, before and after stretching, each with a chance that makes that of either ``chance``
    angle = quarter + _happens(x, 1 - math.sqrt(1 - chance), rng) * (2 * _uniform(x, rng) - 1) * math.pi
    return _matrix(x, mirror * angle.cos(), -angle.sin(), mirror * angle.sin(), angle.cos())


def _stretches(x: Tensor, chance: float, rng: Generator) -> Tensor:
    """Scaling, alike and by axis; the second rotation."""
    scale = torch.exp2(_happens(x, chance, rng) * 0.2 * _normal(x, rng))
    aspect = torch.exp2(_happens(x, chance, rng) * 0.2 * _normal(x, rng))
    none = torch.zeros_like(scale)
    stretched = _matrix(x, scale * aspect, none, none, scale / aspect)
    angle = _happens(x, 1 - math.sqrt(1 - chance), rng) * (2 * _uniform(x, rng) - 1) * math.pi
    return stretched @ _matrix(x, angle.cos(), -angle.sin(), angle.sin(), angle.cos())


def _shifts(x: Tensor, chance: float, rng: Generator) -> Tensor:
    """Shifts by whole pixels, so that nothing is blurred by them."""
    on, moves = _happens(x, chance, rng), []
    for side in (x.shape[3], x.shape[2]):
        most = max(1, round(SHIFT * side))
        moves.append(on * ((2 * most + 1) * _uniform(x, rng)).floor().sub(most) * (2 / side))
    one, none = torch.ones_like(on), torch.zeros_like(on)
    return _matrix(x, one, none, none, one, *moves)


def _moved(x: Tensor, matrices: Tensor) -> Tensor:
    grid = functional.affine_grid(matrices[:, :2].to(x.dtype), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def _coloured(x: Tensor, chance: float, rng: Generator) -> Tensor:
    """Brightness, contrast, and of colours saturation."""
    x = x + (_happens(x, chance, rng) * 0.2 * _normal(x, rng)).view(-1, 1, 1, 1)
    contrast = torch.exp2(_happens(x, chance, rng) * 0.5 * _normal(x, rng)).view(-1, 1, 1, 1)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + contrast * (x - mean)
    if x.shape[1] == 3:
        saturation = torch.exp2(_happens(x, chance, rng) * _normal(x, rng)).view(-1, 1, 1, 1)
        grey = (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        x = grey + saturation * (x - grey)
    return x


def _with_hole(x: Tensor, rng: Generator) -> Tensor:
    inside = []
    for dim in (2, 3):
        length = x.shape[dim]
        centre = (_uniform(x, rng) * length).view(-1, 1, 1, 1)
        at = (torch.arange(length, device=x.device) + 0.5).view([-1 if axis == dim else 1 for axis in range(4)])
        inside.append((at - centre).abs() < HOLE * length / 2)
    return x.masked_fill(inside[0] & inside[1], 0.0)


def _matrix(
    x: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, right: Tensor | None = None, down: Tensor | None = None
) -> Tensor:
    """Affine matrices (B, 3, 3) in coordinates from -1 to 1."""
    none = torch.zeros_like(a)
    rows = [a, b, none if right is None else right, c, d, none if down is None else down, none, none, none + 1]
    return torch.stack(rows, 1).view(-1, 3, 3)


def _happens(x: Tensor, chance: float, rng: Generator) -> Tensor:
    return (_uniform(x, rng) < chance).to(x.dtype)


def _uniform(x: Tensor, rng: Generator) -> Tensor:
    return torch.rand(len(x), generator=rng, device=rng.device).to(x.device)


def _normal(x: Tensor, rng: Generator) -> Tensor:
    return torch.randn(len(x), generator=rng, device=rng.device).to(x.device)


__all__ = ["TOLD_CHANGES", "Kind", "augmented", "augmented_and_told"]

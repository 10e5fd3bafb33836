"""What scratches, dust and folds hide of photographs: what a net has learned to see."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.operators import tiles
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import finish
from danqing.maths.ageing import unit_of
from danqing.maths.folds import fold_shadows
from danqing.maths.reduction import in_reduced

MARKER = "marker"  # bundled weights
USUAL = 2  # px; half the width of the widest marks that the net has learned
SUREST, LEAST = 5.0, -1.0  # logarithms of odds from which something is a mark, at strengths 0 and 1
LENIENT = 1 / 3  # strength for pictures that are known to have marks
CREASED = 1 / 3  # strength at which creases are looked for: they are long, and their shadows must tell of them, too
LARGE = 2.0  # px of a unit, up to which pictures are looked at in their own size


def hidden(x: Images, radius: float = USUAL, strength: float = 0.5) -> Mask:
    """Mark what scratches, dust and folds hide, bright or dark.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        radius: half the width of the widest mark in pixels; more is looked for in a reduced picture.
        strength: from 0, only what can hardly be anything else, to 1, whatever might be one.

    Returns:
        (B, 1, H, W), 1 on the marks and a pixel around them.

    Source: :mod:`danqing.models.marker`.
    """
    return hidden_at((strength,), x, radius)


def hidden_at(strengths: tuple[float, ...], x: Images, radius: float = USUAL) -> Tensor:
    """What :func:`hidden` marks at several strengths, at one look: (B, as many, H, W)."""
    model: Any = cached(MARKER, kind=Model)

    def marked(small: Images) -> Tensor:
        odds = finish(tiles.local(model.mark, small, model.reach))
        masks = torch.cat([odds > SUREST + (LEAST - SUREST) * strength for strength in strengths], 1)
        return F.max_pool2d(masks.to(x), 3, 1, 1)

    return in_reduced(x, radius / USUAL, marked, "nearest")


def radius_for(x: Images) -> float:
    """Half the width in pixels of the widest marks that are to be expected on pictures of this size."""
    return USUAL * max(1.0, unit_of(*x.shape[-2:]) / LARGE)


def fold_shading(x: Images) -> Tensor:
    """The density (1, 1, H, W) of the shadows beside a picture's creases, negative where they shine; 0 without any."""
    return fold_shadows(x, hidden(x, radius_for(x), CREASED), unit_of(*x.shape[-2:]))


__all__ = ["LENIENT", "fold_shading", "hidden", "hidden_at", "radius_for"]

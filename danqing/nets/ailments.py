"""What ails a photograph: one look at each of its ills, which says what was found and what mending it must know."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from danqing.core.pictures.contract import Images
from danqing.maths.colour import brightness
from danqing.maths.edge_widths import FEWEST, edge_widths
from danqing.maths.jpeg_history import history
from danqing.nets.fade_estimate import estimate_fade
from danqing.nets.noise_estimate import estimate_noise
from danqing.nets.stain_estimate import inked, stains_on
from danqing.nets.wear import fold_shading, hidden_at, radius_for

POOR = 80  # JPEG quality below which blocks and ripples are seen
NOISY = 3.0  # σ on the 0–255 scale below which nobody sees noise
SUREST, SURE, WORN = 0.0, 1 / 15, 1 / 6  # strengths at which marks are looked for: may there be none, are some, many
POSSIBLE, CLEAR = 5 / 6, 0.2  # strength of what may be marks, and the share of that which is sure where there are any:
# pictures of grass, ropes and railings are full of what may be
MARKED, MANY = 6e-3, 1e-2  # shares of pixels that marks hide: for sure, from which there are any; from which many
STAINED = 2e-3  # share of pixels that stains lie on
SOFT = 1.2  # px: width of the sharper edges, above which a picture is blurred


class Found(NamedTuple):
    """What one look at a picture (1, C, H, W) found.

    Attributes:
        figure: what is told of it.
        ill: whether something is to be done.
        needs: what that needs to know.
    """

    figure: Any
    ill: bool
    needs: Any = None


def _compression(x: Images) -> Found:
    quality = history(x)[0][0]["quality"]
    return Found(quality, quality is not None and quality < POOR, x.new_tensor([float(quality or 0)]))


def _noise(x: Images, seen: Tensor | None) -> Found:
    estimate = estimate_noise(x, seen)
    known = 255 * float(estimate.level[0])
    figure = None if math.isnan(known) else known
    return Found(figure, known > NOISY, estimate)  # nothing is more than NaN


def _shading(x: Images) -> Found:
    shadows = fold_shading(x)
    deepest = float(shadows.abs().max())
    return Found(deepest, deepest > 0, shadows)


def _scratches(x: Images) -> Found:
    """What hides the picture: marks, if there are sure ones, and less sure ones where they are many; blots of ink."""
    blots = inked(x)
    sure, few, many, possible = hidden_at((SUREST, SURE, WORN, POSSIBLE), x, radius_for(x)).split(1, 1)
    marked = max(MARKED, CLEAR * float(possible.mean())) < float(sure.mean()) < 0.5
    holes = many if float(few.mean()) > MANY else few
    share = float(torch.maximum(sure, blots).mean())
    return Found(share, marked or bool(blots.any()), torch.maximum(holes * marked, blots))


def _stains(x: Images) -> Found:
    stains = stains_on(x)
    share = float(stains.sure.mean())
    return Found(share, share > STAINED, stains.density)


def _fading(x: Images, seen: Tensor | None) -> Found:
    estimate = estimate_fade(x, seen)
    faded = bool(estimate.faded[0])
    return Found(faded, faded, estimate.believed if faded else estimate.fade)


def _blur(x: Images) -> Found:
    widths = edge_widths(brightness(x)[0, 0].double().cpu().numpy())
    wide = float(np.quantile(widths, 0.1)) if widths.size >= FEWEST else None
    return Found(wide, wide is not None and wide > SOFT)


_OTHERS: dict[str, Callable[[Images], Found]] = {
    "compression": _compression,
    "shading": _shading,
    "scratches": _scratches,
    "stains": _stains,
    "blur": _blur,
}

_WHERE_SEEN: dict[str, Callable[[Images, Tensor | None], Found]] = {"noise": _noise, "fading": _fading}

LOOKS = (*_WHERE_SEEN, *_OTHERS)


def look(ill: str, x: Images, seen: Tensor | None) -> Found:
    """Look for one of the ills (``LOOKS``) of a picture (1, C, H, W); noise and fading only where it is ``seen``."""
    return _WHERE_SEEN[ill](x, seen) if ill in _WHERE_SEEN else _OTHERS[ill](x)


__all__ = ["LOOKS", "Found", "look"]

"""What stains took of a photograph's light, and what ink hides: computed on prints of one tone, else seen by a net."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.operators import tiles
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import finish
from danqing.maths.ageing import unit_of
from danqing.maths.reduction import in_reduced
from danqing.maths.stain_density import Stains, densities, grown, plausible, stains_on_one_tone
from danqing.nets.wear import hidden

STAINMETER = "stainmeter"  # bundled weights
USUAL = 1.2  # px of the unit in which a picture is looked at whose own is larger
SURE, AROUND = 6.0, 2.0  # logarithms of odds from which a place is stained, and to which it is around such a one
INKED = 8.0  # the same, from which ink hides it
RIM = 5  # px: side of the square by which what ink hides is widened, its edges being soft
VIVID, LARGE = 0.3, 0.1  # density: how far the colours of half of a picture are from their middle where brown things
# are at home, and the share of the picture from which a stain is one of them there
FEATHER = 5  # px: side of the square over which a stain's density falls off beyond its edge


def stains_on(x: Images) -> Stains:
    """Measure stains that light goes through on a picture (1, C, H, W); one without colours tells of none.

    Source: :mod:`danqing.maths.stain_density` where a print has one tone, else :mod:`danqing.models.stainmeter`.
    """
    exact = stains_on_one_tone(x)
    if x.shape[1] == 1 or (bool(exact.sure.any()) and plausible(x, exact)):
        return exact
    said = _said(x)
    odds = said[0, 3].cpu().numpy()
    sure = torch.from_numpy(_laid_on(x, grown(odds > SURE, odds > AROUND))).to(x)[None, None]
    share = F.avg_pool2d(F.max_pool2d(sure, FEATHER, 1, FEATHER // 2), FEATHER, 1, FEATHER // 2)
    seen = Stains(said[:, :3] * share, sure)
    return seen if plausible(x, seen) else Stains(torch.zeros_like(x), torch.zeros_like(sure))


def _laid_on(x: Images, sure: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What of the stains (H, W) lies on a picture: in a vivid one, what is large and brown was there from the first."""
    import cv2

    count, numbers, facts, _ = cv2.connectedComponentsWithStats(sure.astype(np.uint8))
    large = [at for at in range(1, count) if facts[at, cv2.CC_STAT_AREA] > LARGE * sure.size]
    if not large:
        return sure
    red, green, blue = densities(x[0].permute(1, 2, 0).cpu().numpy())
    casts = cv2.GaussianBlur(np.stack([blue - green, red - green], 2), (0, 0), 2)
    own = casts[cv2.dilate(sure.astype(np.uint8), np.ones((9, 9))) == 0]
    vivid = len(own) == 0 or float(np.median(np.abs(own - np.median(own, 0)).sum(1))) > VIVID
    return sure & ~np.isin(numbers, large) if vivid else sure


def hidden_or_inked(x: Images, radius: float, strength: float) -> Mask:
    """Mark what hides pictures (B, C, H, W): scratches, dust and folds as :func:`hidden` does, and blots of ink."""
    return torch.maximum(hidden(x, radius, strength), inked(x))


def inked(x: Images) -> Mask:
    """Mark what blots of ink surely hide of pictures (B, C, H, W), (B, 1, H, W).

    Source: :mod:`danqing.models.stainmeter`.
    """
    masks = []
    for picture in x.split(1):
        said = _said(picture)[0, 4].cpu().numpy()
        masks.append(torch.from_numpy(grown(said > INKED, said > 0)).to(x)[None, None])
    return F.max_pool2d(torch.cat(masks), RIM, 1, RIM // 2)


def _said(x: Images) -> Tensor:
    """Density (3), odds of a stain and of ink, one after the other (1, 5, H, W), seen at a size that the net knows."""
    model: Any = cached(STAINMETER, kind=Model)

    def measured(part: Images) -> Tensor:
        return torch.cat(model.measure(part), 1)

    def seen(small: Images) -> Tensor:
        return finish(tiles.local(measured, small, model.reach))

    return in_reduced(x, unit_of(*x.shape[-2:]) / USUAL, seen, "bilinear")


__all__ = ["hidden_or_inked", "inked", "stains_on"]

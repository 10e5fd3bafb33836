"""How strong the noise in pictures is, white or a camera's: what a net has learned, checked against statistics."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from danqing.core.learned.weights import load
from danqing.core.pictures.contract import Images
from danqing.maths import damage

METER = "noisemeter"  # bundled weights
ALIKE = 1.3  # times: within that of each other, the statistics are trusted, which are exact for white noise


def noise_level(x: Images) -> Tensor:
    """Estimate the root mean square (B,) of the noise in pictures (B, C, H, W), in image units.

    Statistics of patches find white noise exactly, and of a camera's only what it has in all directions, which is next
    to nothing; the net finds both roughly. Where the net sees clearly more noise, it is believed.

    Source: danqing; :func:`danqing.maths.damage.noise_level` and :mod:`danqing.models.noisemeter`.
    """
    white, seen = damage.noise_level(x), measured(x).level.to(x)
    return torch.where(seen > ALIKE * white, seen, white)


def measured(x: Images) -> Any:
    """What the net makes of pictures: :class:`danqing.models.noisemeter.Noise`."""
    meter: Any = load(METER, kind=METER)
    return meter.measure(x)

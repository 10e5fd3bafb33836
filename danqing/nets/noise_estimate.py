"""How strong the noise in pictures is, white or a camera's: what a net has learned, checked against statistics."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.pictures.contract import Images
from danqing.maths import damage

METER = "noisemeter"  # bundled weights
ALIKE = 1.3  # times: within that of each other, the statistics are trusted, which are exact for white noise
LEAST = 2 / 255  # of a camera: less is not seen, and fine texture may look like it
MORE = 1.25  # times that noise of a camera is told stronger, best for nets on snapshots of photographs learned from


class Estimate(NamedTuple):
    """What is known of the noise in pictures.

    Attributes:
        level: its root mean square (B,), in image units.
        white: whether it is white (B,), bool.
    """

    level: Tensor
    white: Tensor

    @property
    def told(self) -> Tensor:
        """The level (B,) that a net is best told."""
        return torch.where(self.white, self.level, MORE * self.level)


def estimate_noise(x: Images) -> Estimate:
    """Estimate the noise in pictures (B, C, H, W).

    Statistics of patches find white noise exactly, and of a camera's only what it has in all directions, which is next
    to nothing; the net finds both roughly. Where the net sees clearly more noise, it is believed.

    Source: danqing; :func:`danqing.maths.damage.noise_level` and :mod:`danqing.models.noisemeter`.
    """
    statistics, seen = damage.noise_level(x), measured(x).level.to(x)
    white = (seen <= ALIKE * statistics) | (seen < LEAST)
    return Estimate(torch.where(white, statistics, seen), white)


def measured(x: Images) -> Any:
    """What the net makes of pictures: :class:`danqing.models.noisemeter.Noise`."""
    meter: Any = cached(METER, kind=Model)
    return meter.measure(x)

"""How strong the noise in pictures is, white or a camera's: what a net has learned, checked against statistics."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.pictures.contract import Images
from danqing.maths.drawn import drawn
from danqing.maths.noise import by_statistics, not_told_from_afar

METER = "noisemeter"  # bundled weights
WHITE, CAMERA = "denoise-base", "denoise-camera"  # bundled weights that remove noise of either kind
REACH = 64  # px: how far both look
ALIKE = 1.3  # times: within that of each other, the statistics are trusted, which are exact for white noise
LEAST = 2 / 255  # of a camera: less is not seen, and fine texture may look like it
SMALL = 64  # px: in squares of less, all that is pictured is as fine as noise, and the statistics alone are asked
REGULAR = 1.25  # times what cannot be told from afar: what the net sees beyond that is pictured, such as stripes
MORE = 1.25  # times that noise of a camera is told stronger (how it was chosen: ADR 21)


class Noise(NamedTuple):
    """The noise of pictures, as the net says.

    Attributes:
        sigma: standard deviation (B, 3) in image units, in each colour.
        grain: correlation (B,) of the noise with that of the next pixels: 0 for white noise, near 1 for coarse grain.
    """

    sigma: Tensor
    grain: Tensor

    @property
    def level(self) -> Tensor:
        """One number a picture (B,): the root mean square of the noise."""
        return self.sigma.square().mean(1).sqrt()


class Estimate(NamedTuple):
    """What is known of the noise in pictures.

    Attributes:
        level: its root mean square (B,), in image units; NaN where a picture is too small to tell.
        white: whether the statistics said so (B,), bool: it is white, or there is none to speak of.
        noise: what the net says.
    """

    level: Tensor
    white: Tensor
    noise: Noise

    @property
    def told(self) -> Tensor:
        """The level (B,) that a net is best told; 0 where nothing is known."""
        return torch.where(self.white, self.level, MORE * self.level).nan_to_num(0)

    @property
    def remover(self) -> str:
        """The bundled weights that remove such noise best, from the first picture and those alike."""
        return WHITE if bool(self.white[0]) else CAMERA


def estimate_noise(x: Images, seen: Tensor | None = None) -> Estimate:
    """Estimate the noise in pictures (B, C, H, W), where pixels are ``seen`` (B, H, W), bool.

    Statistics of patches find white noise exactly, and of a camera's only what it has in all directions, which is next
    to nothing; the net finds both roughly. Where the net sees clearly more noise, it is believed, unless most of it can
    be told from pixels far away, as stripes and weave can. What was drawn or set has none, however fine its strokes and
    letters are.

    Source: danqing; :func:`danqing.maths.noise.by_statistics` and :mod:`danqing.models.noisemeter`.
    """
    meter: Any = cached(METER, kind=Model)
    statistics, noise = by_statistics(x, seen).to(x), meter.measure(x, seen)
    level = noise.level.to(x)
    even = drawn(x, seen).to(statistics.device) & ~statistics.isnan()
    statistics = torch.where(even, 0, statistics)
    camera = (level > ALIKE * statistics) & (level >= LEAST) & ~even  # never where the statistics do not know
    if x.shape[-2] * x.shape[-1] < SMALL**2:
        camera = torch.zeros_like(camera)
    if bool(camera.any()):
        camera &= level <= REGULAR * not_told_from_afar(x, seen)
    return Estimate(torch.where(camera, level, statistics), ~camera, noise)

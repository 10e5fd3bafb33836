"""How far photographs have faded: what a net has learned, and when it is believed."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.pictures.contract import Images
from danqing.maths.drawn import drawn
from danqing.maths.fading import Fade, of_one_tone, span

METER = "fademeter"  # bundled weights
FLAT = 0.9  # density: what spans less (a light of 1 to 2.5) is pale by nature, as fog and snow are, or cannot be told
SURE = 0.8  # logarithm of odds from which all of the fading is believed, and from 0 on a part of it


class Estimate(NamedTuple):
    """What is known of fading.

    Attributes:
        fade: what became of the pictures, if anything.
        odds: logarithm of the odds (B,) that they have faded.
    """

    fade: Fade
    odds: Tensor

    @property
    def faded(self) -> Tensor:
        """Which pictures have faded, (B,), bool."""
        return self.odds > 0

    @property
    def believed(self) -> Fade:
        """The fading to be undone: nothing where there is none, and a part where it is unsure."""
        share = (self.odds / SURE).clamp(0, 1)[:, None]
        return Fade(*(each**share for each in self.fade))


def estimate_fade(x: Images, seen: Tensor | None = None) -> Estimate:
    """Estimate how far pictures (B, C, H, W) have faded, where pixels are ``seen`` (B, H, W), bool.

    What was drawn tells nothing, and so has not; nor has what is as flat as fog and snow: dyes keep a third of their
    density at least, and a scene that has blacks spans more even then.

    Prints in black and white are grey again, and pictures without colour stay so (:func:`of_one_tone`).

    Source: :mod:`danqing.models.fademeter`.
    """
    meter: Any = cached(METER, kind=Model)
    verdict = meter.measure(x, seen)
    colours = x.expand(-1, 3, -1, -1)
    fade = of_one_tone(colours, verdict.fade, seen)
    untold = drawn(x, seen).to(verdict.odds.device) | (span(colours, seen) < FLAT).to(verdict.odds.device)
    return Estimate(fade, torch.where(untold, -torch.inf, verdict.odds))


__all__ = ["Estimate", "estimate_fade"]

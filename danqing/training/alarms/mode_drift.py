"""A painter that goes from one kind of picture to the next and settles for none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch

from danqing.training.alarm import Cure, Lasting, View
from danqing.training.diversity import diversity, varied

FAR = 0.4  # of the diversity of the real pictures: as far must the middle move from look to look, and lie off


@dataclass
class ModeDrift(Lasting):
    """Follows the middle of the painted pictures, of the same latents at every look: it should come to rest."""

    words: ClassVar[str] = "what is painted changes altogether from look to look, and comes no nearer to the pictures"
    remedy: ClassVar[str] = "Lower --lr, raise --gamma, or raise the batch"
    cure: ClassVar[Cure] = Cure(rate=0.4, gamma=3.0)
    patience: ClassVar[int] = 3
    begins_at: ClassVar[int] = 20_000  # at first every painter moves
    before: list[float] = field(default_factory=list)

    def amiss(self, view: View) -> bool:
        middle, usual = view.painted.double().mean(0), view.real.double().mean(0)
        moved = bool(self.before) and varied(view.real)
        if moved:
            far = FAR * diversity(view.real)
            last = torch.tensor(self.before, dtype=torch.float64)
            moved = float((middle - last).norm()) > far and float((middle - usual).norm()) > far
        self.before = middle.tolist()
        return moved

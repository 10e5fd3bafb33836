"""A critic that learns its pictures by heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Alarm, Cure, View

MOST = 0.7  # of the way from training to painted pictures that held-out ones lie on, in the critic's eyes
PATIENCE = 2  # looks in a row
FROM = 10_000  # pictures seen; a young critic's numbers say little


@dataclass
class CriticOverfits(Alarm):
    """Compares what the critic says of held-out pictures with what it says of training and of painted ones.

    Source: Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", eq. 1, r_v.
    """

    words: ClassVar[str] = (
        "the critic takes held-out pictures for painted ones: it has learned the training pictures by heart"
    )
    remedy: ClassVar[str] = (
        "Bring more pictures, give --critic-augment adaptive, --lecam 0.01 or a stronger --gamma, or begin with --from"
    )
    cure: ClassVar[Cure] = Cure(chance=0.2)
    known: int = 0

    def look(self, view: View) -> bool:
        bad = view.overfitting is not None and view.overfitting > MOST and view.seen >= FROM
        self.known = self.known + 1 if bad else 0
        return self.known >= PATIENCE

    @property
    def calm(self) -> bool:
        return self.known == 0

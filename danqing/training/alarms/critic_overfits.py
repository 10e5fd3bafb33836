"""A critic that learns its pictures by heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.training.alarm import Cure, Lasting, View

MOST = 0.7  # of the way from training to painted pictures that held-out ones lie on, in the critic's eyes


@dataclass
class CriticOverfits(Lasting):
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
    begins_at: ClassVar[int] = 10_000  # a young critic's numbers say little

    def amiss(self, view: View) -> bool:
        return view.overfitting is not None and view.overfitting > MOST

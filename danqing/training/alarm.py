"""What an alarm is, and the alarms there are: one file each in ``training/alarms`` of every root, found by walking."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

from torch import Tensor

from danqing.core.menu import subclasses_in
from danqing.core.pictures.contract import Images

ALARMS = "training/alarms"


class Moment(NamedTuple):
    """What a step leaves to be watched.

    Attributes:
        step: how many were done, this one included.
        seen: how many pictures were seen.
        losses: of the step, by part.
        readings: of the model.
        broken: the name of a weight or of an optimiser's memory that is not finite; looked for when a look is due.
    """

    step: int
    seen: int
    losses: dict[str, float]
    readings: dict[str, float]
    broken: str = ""


class Beside(NamedTuple):
    """What pictures are compared in beside the sketch features, to find copies: thumbnails (N, D).

    Attributes:
        painted: of the pictures painted.
        learned: of training pictures, many of them.
        held_out: of pictures that the model never saw; empty where there are none.
    """

    painted: Tensor
    learned: Tensor
    held_out: Tensor


class View(NamedTuple):
    """What a look shows: features (N, D) of pictures painted and of real ones.

    Attributes:
        step: how many were done.
        seen: how many pictures were seen.
        painted: from the averaged weights.
        real: of the same labels.
        pictures: those painted themselves, (N, C, H, W).
        originals: the real ones themselves.
        scores: on held-out pictures; less is better.
        overfitting: how much nearer held-out pictures lie to painted ones than training pictures do, in the eyes of
            the critic, from 0 to 1; None if there is no critic, or nothing is held out.
        beside: thumbnails, for copies.
        share: how much of the budget is used.
    """

    step: int
    seen: int
    painted: Tensor
    real: Tensor
    pictures: Images | None = None
    originals: Images | None = None
    scores: Mapping[str, float] = {}
    overfitting: float | None = None
    beside: Beside | None = None
    share: float = 0.0


class Cure(NamedTuple):
    """What the doctor changes of a run that went back for an alarm.

    Attributes:
        rate: what the learning rate is multiplied by.
        gamma: what the strength of the critic's penalty is multiplied by.
        chance: what is added to the chance of augmentations before the critic.
    """

    rate: float = 1.0
    gamma: float = 1.0
    chance: float = 0.0


class Alarm:
    """One thing that can go wrong. A dataclass: its fields are its history, JSON values, saved and resumed with a run.

    Its name is that of its file, with dashes. It watches steps or looks at pictures, whichever method it has.

    Attributes:
        words: what goes wrong, for people.
        remedy: what helps.
        cure: what the doctor changes when it rings, after the run went back to its last good checkpoint; None: it only
            tells.
        goes_back: whether a run cannot go on without going back, even if the doctor only watches.
    """

    words: ClassVar[str]
    remedy: ClassVar[str]
    cure: ClassVar[Cure | None] = None
    goes_back: ClassVar[bool] = False

    def watch(self, moment: Moment) -> bool:
        """Whether a step raises it."""
        return False

    def look(self, view: View) -> bool:
        """Whether a look raises it."""
        return False

    @property
    def calm(self) -> bool:
        """Whether nothing points to it at present, so that a run may go back to here."""
        return True

    def to_json(self) -> dict[str, Any]:
        """Its history as JSON values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, history: dict[str, Any]) -> Self:
        """The alarm with a history; what the history does not know is as in the beginning."""
        names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: value for name, value in history.items() if name in names})


def known_alarms() -> dict[str, type[Alarm]]:
    """Every alarm by name, in alphabetical order; a package may add to danqing's, and replaces none of them."""
    found: dict[str, type[Alarm]] = {}
    for made in subclasses_in(ALARMS, Alarm):
        found.setdefault(made.__module__.rpartition(".")[2].replace("_", "-"), made)
    return dict(sorted(found.items()))


__all__ = ["Alarm", "Beside", "Cure", "Moment", "View", "known_alarms"]

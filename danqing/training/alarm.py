"""What an alarm is, and the alarms there are: one file each in ``training/alarms`` of every root, found by walking."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, NamedTuple, Self

from torch import Tensor

from danqing.core.menu import subclasses_in

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


class View(NamedTuple):
    """What a look shows: features (N, D) of pictures painted and of real ones.

    Attributes:
        step: how many were done.
        seen: how many pictures were seen.
        painted: from the averaged weights.
        real: of the same labels.
    """

    step: int
    seen: int
    painted: Tensor
    real: Tensor


class Alarm:
    """One thing that can go wrong. A dataclass: its fields are its history, JSON values, saved and resumed with a run.

    Its name is that of its file, with dashes. It watches steps or looks at pictures, whichever method it has.

    Attributes:
        words: what goes wrong, for people.
        remedy: what helps.
        goes_back: whether the run returns to its last good checkpoint, and goes on at a lower rate, when it is raised;
            such an alarm may be raised again and again, others once a run.
    """

    words: ClassVar[str]
    remedy: ClassVar[str]
    goes_back: ClassVar[bool] = False

    def watch(self, moment: Moment) -> bool:
        """Whether a step raises it."""
        return False

    def look(self, view: View) -> bool:
        """Whether a look raises it."""
        return False

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


__all__ = ["Alarm", "Moment", "View", "known_alarms"]

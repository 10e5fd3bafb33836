"""What an alarm is, and the alarms there are: one file each in ``training/alarms`` of every root, found by walking."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, final

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
        limit: distance below which a picture is a near copy.
    """

    painted: Tensor
    learned: Tensor
    limit: float


class View(NamedTuple):
    """What a look shows: features (N, D) of pictures painted and of real ones.

    Attributes:
        step: how many were done.
        seen: how many pictures were seen.
        painted: from the averaged weights.
        real: of the same labels.
        pictures: those painted themselves, (N, C, H, W).
        originals: the real ones themselves.
        scores: on held-out pictures, or, of few of these, on those learned from; less is better.
        overfitting: how much nearer held-out pictures lie to painted ones than training pictures do, in the eyes of
            the critic, from 0 to 1; None if there is no critic, or nothing is held out.
        beside: thumbnails, for copies.
        labels: the class of each picture, painted and real alike, (N,); None where they have none.
        half_life: pictures seen after which old weights count half in the averaged ones.
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
    labels: Tensor | None = None
    half_life: float = 0.0


class Cure(NamedTuple):
    """What the doctor changes of a run that went back for an alarm.

    Attributes:
        rate: what the learning rate is multiplied by.
        gamma: what the strength of the critic's penalty is multiplied by.
        chance: what is added to the chance of augmentations before the critic.
        bare: what the learning rate is multiplied by beside that where there is no such penalty.
    """

    rate: float = 1.0
    gamma: float = 1.0
    chance: float = 0.0
    bare: float = 1.0


class Alarm:
    """One thing that can go wrong. A dataclass: its fields are its history, JSON values, saved and resumed with a run.

    Its name is that of its file, with dashes. It watches steps or looks at pictures, whichever method it has; one that
    rings after several looks is :class:`Lasting`.

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

    @property
    def since(self) -> int:
        """The step since which what it finds goes on: what was told before that is told anew; 0: once a run."""
        return 0

    def to_json(self) -> dict[str, Any]:
        """Its history as JSON values."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_json(cls, history: dict[str, Any]) -> Self:
        """The alarm with a history; what the history does not know is as in the beginning."""
        names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: value for name, value in history.items() if name in names})


@dataclass
class Lasting(Alarm):
    """An alarm that rings once several looks in a row find something amiss, from a number of pictures seen on.

    Attributes:
        patience: looks in a row.
        begins_at: pictures seen; what looks amiss before that goes by itself.
        in_a_row: so many there were last.
    """

    patience: ClassVar[int] = 2
    begins_at: ClassVar[int] = 0
    in_a_row: int = 0

    @abstractmethod
    def amiss(self, view: View) -> bool:
        """Whether a look finds it; asked at every look, also of young models."""

    @final
    def look(self, view: View) -> bool:
        found = self.amiss(view) and view.seen >= self.begins_at
        self.in_a_row = self.in_a_row + 1 if found else 0
        return self.in_a_row >= self.patience

    @property
    def calm(self) -> bool:
        return self.in_a_row == 0


def known_alarms() -> dict[str, type[Alarm]]:
    """Every alarm by name, in alphabetical order; a package may add to danqing's, and replaces none of them."""
    found: dict[str, type[Alarm]] = {}
    for made in subclasses_in(ALARMS, Alarm):
        found.setdefault(made.__module__.rpartition(".")[2].replace("_", "-"), made)
    return dict(sorted(found.items()))


__all__ = ["Alarm", "Beside", "Cure", "Lasting", "Moment", "View", "known_alarms"]

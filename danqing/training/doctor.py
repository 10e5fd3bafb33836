"""The doctor watches a run: it heals numbers that break, and says in plain words what goes wrong and what helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from danqing.core.errors import TrainingFailed
from danqing.training.alarm import Alarm, Moment, View, known_alarms

MAX_ROLLBACKS = 4  # in a row without a good checkpoint between
HEAL = 0.5  # what a rollback does to the learning rate


class Finding(NamedTuple):
    """What the doctor found, where the run was, and what helps."""

    name: str
    step: int
    words: str
    remedy: str


@dataclass
class Doctor:
    """The patient's history, saved and resumed with the run.

    Attributes:
        rate: what is left of the learning rate.
        rollbacks: in a row, without a good checkpoint between.
        raised: the alarms that were raised, each once.
        alarms: all there are, by name, each with its own history.
    """

    rate: float = 1.0
    rollbacks: int = 0
    raised: list[str] = field(default_factory=list)
    alarms: dict[str, Alarm] = field(default_factory=lambda: {name: made() for name, made in known_alarms().items()})

    def to_json(self) -> dict[str, Any]:
        """The history as JSON values."""
        histories = {name: alarm.to_json() for name, alarm in self.alarms.items()}
        return {"rate": self.rate, "rollbacks": self.rollbacks, "raised": self.raised, "alarms": histories}

    @classmethod
    def from_json(cls, history: dict[str, Any]) -> Doctor:
        """The doctor with a history; alarms that it does not know begin theirs."""
        known = history.get("alarms", {})
        alarms = {name: made.from_json(known.get(name, {})) for name, made in known_alarms().items()}
        return cls(history["rate"], history["rollbacks"], list(history["raised"]), alarms)

    def breaks(self, moment: Moment) -> Finding | None:
        """Watch for what a run must go back for; the rate is lowered then.

        Raises:
            TrainingFailed: if going back has not helped.
        """
        for name, alarm in self.alarms.items():
            if alarm.goes_back and alarm.watch(moment):
                self._heal(moment.step)
                return Finding(name, moment.step, alarm.words, alarm.remedy)
        return None

    def recovered(self) -> None:
        """Note that a good checkpoint was reached: the next break is a new one."""
        self.rollbacks = 0

    def watch(self, moment: Moment) -> list[Finding]:
        """Watch a sound step."""
        return self._raised(lambda alarm: alarm.watch(moment), moment.step)

    def look(self, view: View) -> list[Finding]:
        """Look at what is painted."""
        return self._raised(lambda alarm: alarm.look(view), view.step)

    def _raised(self, rings: Callable[[Alarm], bool], step: int) -> list[Finding]:
        ringing = [name for name, alarm in self.alarms.items() if not alarm.goes_back and rings(alarm)]
        new = [name for name in ringing if name not in self.raised]
        self.raised += new
        return [Finding(name, step, self.alarms[name].words, self.alarms[name].remedy) for name in new]

    def _heal(self, step: int) -> None:
        self.rollbacks += 1
        self.rate *= HEAL
        if self.rollbacks > MAX_ROLLBACKS:
            raise TrainingFailed(
                f"the numbers broke {self.rollbacks} times near step {step}, the last time at "
                f"{self.rate / HEAL:g} of the learning rate",
                remedy="Lower --lr by ten, use --clip 1, or check the pictures (`danqing data check`). "
                "The last good checkpoint is kept in the run folder",
            )


__all__ = ["Doctor", "Finding"]

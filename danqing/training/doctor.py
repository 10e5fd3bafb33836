"""The doctor watches a run: it says in plain words what goes wrong, and treats it, or says what helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from danqing.core.errors import TrainingFailed
from danqing.training.alarm import Alarm, Cure, Moment, View, known_alarms

MAX_ROLLBACKS = 4  # in a row without a good checkpoint between
MAX_CURES = 4  # a run; afterwards the doctor only tells
MAX_CHANCE = 0.8  # of augmentations before the critic: more of them would leak into what is painted
LEAST_RATE = 0.15  # of the learning rate that cures leave: with less of it a painter stands still
FASTEST = 4.0  # times a rate given by hand that a cure makes of it at most
REST = 0.25  # of what a painter has seen: so many pictures more a cure has to work before there is another

Manner = Literal["act", "watch"]


class Finding(NamedTuple):
    """What the doctor found, where the run was, and what helps.

    Attributes:
        name: of the alarm.
        step: at which it rang.
        words: what goes wrong.
        remedy: what helps.
        cure: what the doctor changes for it; None: nothing.
    """

    name: str
    step: int
    words: str
    remedy: str
    cure: Cure | None = None


class Course(NamedTuple):
    """Where a run goes on from after a cure, and by which rules it was begun.

    Attributes:
        seen: pictures seen there.
        penalised: whether the slopes of a critic are penalised.
        usual: how many times its own learning rate the family would take by itself; 1 if none was given.
    """

    seen: int
    penalised: bool = True
    usual: float = 1.0


@dataclass
class Doctor:
    """The patient's history, saved and resumed with the run.

    Attributes:
        rate: what is left of the learning rate.
        gamma: what the strength of the penalty is multiplied by.
        chance: of augmentations before the critic, as the doctor's cures have raised it.
        cures: how many there were.
        rests_until: so many pictures a painter has seen when the last cure has had its time to work.
        rollbacks: in a row, for numbers that broke, without a good checkpoint between.
        raised: the alarms that were raised.
        findings: what was told of each, as JSON values.
        alarms: all there are, by name, each with its own history.
    """

    rate: float = 1.0
    gamma: float = 1.0
    chance: float = 0.0
    cures: int = 0
    rests_until: int = 0
    rollbacks: int = 0
    raised: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    alarms: dict[str, Alarm] = field(default_factory=lambda: {name: made() for name, made in known_alarms().items()})

    def to_json(self) -> dict[str, Any]:
        """The history as JSON values."""
        histories = {name: alarm.to_json() for name, alarm in self.alarms.items()}
        return {**{name: getattr(self, name) for name in _OWN}, "alarms": histories}

    @classmethod
    def from_json(cls, history: dict[str, Any]) -> Doctor:
        """The doctor with a history; what that does not know is as in the beginning."""
        known = history.get("alarms", {})
        alarms = {name: made.from_json(known.get(name, {})) for name, made in known_alarms().items()}
        return cls(**{name: history[name] for name in _OWN if name in history}, alarms=alarms)

    @property
    def calm(self) -> bool:
        """Whether nothing points to trouble at present."""
        return all(alarm.calm for alarm in self.alarms.values())

    def breaks(self, moment: Moment) -> Finding | None:
        """Watch for what a run cannot go on with."""
        for name, alarm in self.alarms.items():
            if alarm.goes_back and alarm.watch(moment):
                return self._found(name, moment.step)
        return None

    def watch(self, moment: Moment, manner: Manner = "watch") -> list[Finding]:
        """Watch a sound step."""
        return self._raised(lambda alarm: alarm.watch(moment), moment, manner)

    def look(self, view: View, manner: Manner = "watch") -> list[Finding]:
        """Look at what is painted."""
        return self._raised(lambda alarm: alarm.look(view), view, manner)

    def begin_anew(self) -> None:
        """Let every alarm forget its history: it was of other pictures."""
        self.alarms = {name: type(alarm)() for name, alarm in self.alarms.items()}

    def recovered(self) -> None:
        """Note that a good checkpoint was reached: the next break is a new one."""
        self.rollbacks = 0

    def treated(self, finding: Finding, past: Doctor, course: Course) -> Doctor:
        """The doctor after a cure: all that is known, and the alarms as they were where the run goes on from.

        Args:
            finding: what was found, with its cure.
            past: the history at that place.
            course: where that is, and by which rules the run was begun.

        Raises:
            TrainingFailed: if the numbers broke again and again, and going back has not helped.
        """
        cure = finding.cure or Cure()
        broken = self.alarms[finding.name].goes_back
        after = replace(
            self,
            rate=self.rate * cure.rate if broken else self._rate_after(cure, course),
            gamma=self.gamma * cure.gamma,
            chance=min(MAX_CHANCE, self.chance + cure.chance),
            cures=self.cures + (not broken),
            rests_until=self.rests_until if broken else round(course.seen * (1 + REST)),
            rollbacks=self.rollbacks + broken,
            raised=list(dict.fromkeys([*self.raised, finding.name])),
            alarms=past.alarms,
        )
        if after.rollbacks > MAX_ROLLBACKS:
            raise TrainingFailed(
                f"the numbers broke {after.rollbacks} times near step {finding.step}, the last time at "
                f"{self.rate:g} of the learning rate",
                remedy="Lower --lr by ten, use --clip 1, or check the pictures (`danqing data check`). "
                "The last good checkpoint is kept in the run folder",
            )
        return after

    def _rate_after(self, cure: Cure, course: Course) -> float:
        """What is left of the rate after a cure.

        Where the penalty alone is to be raised, the first cure also brings a rate that was given by hand nearer to the
        family's own, up or down: a critic wins by either.
        """
        factor = cure.rate * (1.0 if course.penalised else cure.bare)
        if self.rate == factor == 1.0 != cure.gamma:
            factor = min(course.usual, FASTEST)
        return max(self.rate * factor, min(self.rate, LEAST_RATE * min(1.0, course.usual)))

    def _raised(self, rings: Callable[[Alarm], bool], at: Moment | View, manner: Manner) -> list[Finding]:
        """What rings, once a run, or once for each time that it goes on.

        What can be cured rings again and again, while cures are left and none is at work.
        """
        ringing = [name for name, alarm in self.alarms.items() if not alarm.goes_back and rings(alarm)]
        cures = manner == "act" and self.cures < MAX_CURES and at.seen >= self.rests_until
        again = [name for name in ringing if (cures and self.alarms[name].cure) or self._over(name)]
        new = [name for name in ringing if name not in self.raised or name in again]
        self.raised += [name for name in new if name not in self.raised]
        found = [self._found(name, at.step) for name in new]
        return found if cures else [each._replace(cure=None) for each in found]

    def _over(self, name: str) -> bool:
        """Whether what an alarm was last told for was over before what it finds now began."""
        told = [each["at_step"] for each in self.findings if each["event"] == name]
        return bool(told) and told[-1] < self.alarms[name].since

    def _found(self, name: str, step: int) -> Finding:
        alarm = self.alarms[name]
        return Finding(name, step, alarm.words, alarm.remedy, alarm.cure)


_OWN = ("rate", "gamma", "chance", "cures", "rests_until", "rollbacks", "raised", "findings")


def told(finding: dict[str, Any]) -> str:
    """A finding, as a run writes it down, as people read it: what goes wrong, what was done, and what helps."""
    lines = [f"Step {finding['at_step']:,}: {finding['words']} ({finding['event']})"]
    if "back_to" in finding:
        changes = [f"{name} is {value:g} now" for name, value in finding.get("changed", {}).items()]
        lines.append("; ".join([f"Went back to step {finding['back_to']:,}", *changes]))
    return "\n  ".join([*lines, f"What helps: {finding['remedy']}"])


__all__ = ["MAX_CHANCE", "MAX_CURES", "MAX_ROLLBACKS", "Course", "Doctor", "Finding", "Manner", "told"]

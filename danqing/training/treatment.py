"""What is written down of the doctor's findings, and which rules a cure has changed."""

from __future__ import annotations

from typing import Any

from danqing.training.doctor import Doctor, Finding
from danqing.training.kit import Kit
from danqing.training.state import Position

NEAR = 0.5  # a look whose score is worse than the best by a larger share is none to go back to


def entry_of(finding: Finding, kit: Kit, after: Doctor, there: Position | None) -> dict[str, Any]:
    """A finding as the log, the report and the card have it, JSON values.

    Args:
        finding: what was found.
        kit: of the stage that the run is in.
        after: the doctor after the cure, if there was one.
        there: where the run went back to; None: it goes on.
    """
    entry = {"event": finding.name, "words": finding.words, "remedy": finding.remedy, "at_step": finding.step}
    if there is None:
        return entry
    return {**entry, "back_to": there.step, "changed": _changed(kit, there.doctor, after)}


def is_good(position: Position, scores: dict[str, float]) -> bool:
    """Whether a look is one to go back to: nothing is amiss, and the score, if there is one, is about the best."""
    value, best = next(iter(scores.values()), None), position.best
    near = value is None or best is None or value <= best + NEAR * abs(best)
    return near and position.doctor.calm


def _changed(kit: Kit, before: Doctor, after: Doctor) -> dict[str, float]:
    """The rules that a cure has changed, as they are now, by the names that people know."""
    rules = {
        "learning rate": (before.rate, after.rate, kit.rate_of_all),
        "gamma": (before.gamma, after.gamma, kit.gamma),
        "chance of augmentation": (before.chance, after.chance, 1.0),
    }
    return {name: new * unit for name, (old, new, unit) in rules.items() if old != new and unit}


__all__ = ["entry_of", "is_good"]

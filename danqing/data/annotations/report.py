"""What labels hold and what is wrong in them, for people and for programs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from danqing.core.pictures.names import several
from danqing.data.annotations.formats import read_labels
from danqing.data.annotations.label_set import LabelSet

LISTED = 20  # faults that people are shown; the JSON has all


class Told(NamedTuple):
    """What is told of labels.

    Attributes:
        row: as JSON values.
        verdict: lines for people: what to know first.
        details: what lies behind it, label by label.
    """

    row: dict[str, Any]
    verdict: list[str]
    details: list[str]


def told(labels: Path, pictures: Path) -> Told:
    """Read labels and tell of them.

    Raises:
        DataError: if they are of no format that is known, or there are no pictures.
    """
    return summary(read_labels(labels, pictures))


def summary(labels: LabelSet) -> Told:
    """Tell of labels that were read."""
    counts = Counter(each.thing.label for each in labels.found.kept())
    empty = sum(not each.things for each in labels.found.bare())
    row = {
        "pictures": len(labels.found),
        "empty": empty,
        "things": sum(counts.values()),
        "classes": {name: counts[name] for name in labels.classes},
        "faults": [each._asdict() for each in labels.faults],
    }
    things, pictures = several(sum(counts.values()), "thing"), several(len(labels.found), "picture")
    verdict = [f"labels: {things} in {pictures}, {empty:,} of them without any"]
    details = []
    if counts:
        details.append("things: " + ", ".join(f"{name} × {count:,}" for name, count in counts.most_common(LISTED)))
    if idle := [name for name in labels.classes if not counts[name]]:
        verdict.append(f"Warning: nothing is labelled {', '.join(idle[:LISTED])}")
    if len(counts) == 1:
        verdict.append("Warning: there is one class only; nothing can be told apart")
    if labels.faults:
        verdict.append(f"Warning: {several(len(labels.faults), 'label')} cannot be used")
        details.append(f"labels that cannot be used ({len(labels.faults):,}):")
        details += [f"  {each.name}: {each.reason}" for each in labels.faults[:LISTED]]
    return Told(row, verdict, details)


__all__ = ["Told", "summary", "told"]

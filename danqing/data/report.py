"""What the preflight found, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from danqing.core.pictures.listing import PassedOver
from danqing.core.pictures.names import several, shown, some

LISTED = 20  # names and sizes that the report shows people; the JSON has all


def sides(name: str) -> tuple[int, int]:
    """Width and height of what the report calls "width x height"."""
    width, _, height = name.partition(" x ")
    return int(width), int(height)


def shorter_side(name: str) -> int:
    """The shorter of these."""
    return min(sides(name))


class Unusable(NamedTuple):
    """A file that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What the preflight found.

    Attributes:
        source: what was checked.
        usable: number of readable pictures.
        unusable: the others, each with its reason.
        passed_over: files that were not taken for pictures, each with the reason.
        animations: pictures of several frames or pages, of which the first alone is used.
        sizes: how many pictures have each "width x height", most frequent first.
        modes: how many are grey or colour, with alpha, of 16 bits.
        classes: how many pictures each class has; empty when unlabelled.
        duplicates: groups of pictures whose pixels are the same.
        near_duplicates: groups that look alike, one of each group of duplicates standing for all.
        warnings: what to think about before training, in plain words.
        pairs: how many pictures have a partner that they are to become.
    """

    source: str
    usable: int
    unusable: list[Unusable]
    sizes: dict[str, int]
    modes: dict[str, int]
    classes: dict[str, int]
    duplicates: list[list[str]]
    near_duplicates: list[list[str]]
    warnings: list[str]
    passed_over: list[PassedOver]
    animations: list[str]
    pairs: int = 0

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        unusable, passed_over = ([item._asdict() for item in items] for items in (self.unusable, self.passed_over))
        return {**asdict(self), "unusable": unusable, "passed_over": passed_over}

    @classmethod
    def from_json(cls, known: dict[str, Any]) -> Report:
        """A report from what :meth:`to_json` gave."""
        unusable = [Unusable(**item) for item in known["unusable"]]
        return cls(
            **{**known, "unusable": unusable, "passed_over": [PassedOver(**item) for item in known["passed_over"]]}
        )

    def lines(self) -> list[str]:
        """The report for people."""
        return [*self.verdict(), *self.details()]

    def verdict(self) -> list[str]:
        """What a person must know first: how many can be used, and what to think about."""
        return [
            f"{self.source}: {several(self.usable, 'usable picture')}",
            *(f"Warning: {words}" for words in self.warnings),
        ]

    def details(self) -> list[str]:
        """What lies behind it, file by file."""
        out = _listed("cannot be used", [f"{shown(name)}: {why}" for name, why in self.unusable])
        out += _listed("passed over", [f"{shown(name)}: {why}" for name, why in self.passed_over])
        out += _listed(
            "of several frames or pages, of which the first is used", [shown(name) for name in self.animations]
        )
        for title, counts in (("sizes", self.sizes), ("modes", self.modes), ("classes", self.classes)):
            if counts:
                first = ", ".join(f"{shown(name)} × {count:,}" for name, count in list(counts.items())[:LISTED])
                out.append(f"{title} ({len(counts):,}): {first}" + (" …" if len(counts) > LISTED else ""))
        for title, groups in (("exact duplicates", self.duplicates), ("near duplicates", self.near_duplicates)):
            out += _listed(title, [some(group, 4) for group in groups])
        return out


def _listed(title: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    more = [f"  … and {len(items) - LISTED:,} more"] if len(items) > LISTED else []
    return [f"{title} ({len(items):,}):", *(f"  {item}" for item in items[:LISTED]), *more]

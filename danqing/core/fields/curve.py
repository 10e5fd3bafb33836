"""Curves through points."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.places import PlacesKind, spelt_number

Knots = tuple[tuple[float, float], ...]


class CurveKind(PlacesKind):
    """At least two points (old, new) in 0…1, no two with the same old value; kept in rising order."""

    noun: ClassVar[str] = "a curve"
    metavar: ClassVar[str] = "OLD,NEW OLD,NEW …"
    widget: ClassVar[str] = "curve"
    form: ClassVar[str] = "old,new old,new … with different old values, all in 0…1"
    example: ClassVar[str] = "0,0 0.5,0.6 1,1"

    def made(self, values: list[float]) -> Knots | None:
        if len(values) % 2 or len(values) < 4 or not all(0 <= value <= 1 for value in values):
            return None
        knots = tuple(sorted(zip(values[::2], values[1::2], strict=True)))
        return knots if len({old for old, _ in knots}) == len(knots) else None

    def spelt(self, value: Any) -> str:
        return " ".join(",".join(map(spelt_number, knot)) for knot in value)

    def draw(self, rng: random.Random) -> Knots:
        return (0.0, rng.uniform(0, 0.3)), (rng.uniform(0.2, 0.8), rng.random()), (1.0, rng.uniform(0.7, 1))

    def misfits(self) -> Iterator[Any]:
        yield from ("0,0", "0,0 0,1", "0,0 1,2", "0;0 1;1", "0,0 1", ((0, 0),), 7, object())


Curve = Annotated[Knots, CurveKind()]

__all__ = ["Curve", "CurveKind", "Knots"]

"""One place in a picture."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.kind import View
from danqing.core.fields.places import PlacesKind

Place = tuple[int, int]


class PointKind(PlacesKind):
    """A pixel, as column and row from 0; only the picture knows whether it lies inside."""

    noun: ClassVar[str] = "a point"
    metavar: ClassVar[str] = "X,Y"
    widget: ClassVar[str] = "point"
    form: ClassVar[str] = "column,row"
    example: ClassVar[str] = "120,80"
    whole: ClassVar[bool] = True

    def made(self, values: list[float]) -> Place | None:
        if len(values) != 2 or min(values) < 0 or max(values) >= 2**31:
            return None
        return int(values[0]), int(values[1])

    def spelt(self, value: Any) -> str:
        return ",".join(map(str, value))

    def moved(self, value: Place, view: View) -> Place:
        x, y = view.place(*value)
        return max(0, int(x)), max(0, int(y))

    def draw(self, rng: random.Random) -> Place:
        return rng.randrange(12), rng.randrange(12)

    def misfits(self) -> Iterator[Any]:
        yield from ("1", "1,2,3", "a,b", "-1,4", "0.5,2", (1,), 7, object())


Point = Annotated[Place, PointKind()]

__all__ = ["Place", "Point", "PointKind"]

"""Four corners of something that was photographed at an angle."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.kind import View
from danqing.core.fields.places import PlacesKind, spelt_number

Quad = tuple[tuple[float, float], ...]


class CornersKind(PlacesKind):
    """Four places in pixels: top left, top right, bottom right, bottom left; they may lie outside the picture."""

    noun: ClassVar[str] = "four corners"
    metavar: ClassVar[str] = "X,Y X,Y X,Y X,Y"
    widget: ClassVar[str] = "corners"
    form: ClassVar[str] = "x,y x,y x,y x,y"
    example: ClassVar[str] = "12,30 410,8 440,300 5,280"

    def made(self, values: list[float]) -> Quad | None:
        if len(values) != 8:
            return None
        return tuple(zip(values[::2], values[1::2], strict=True))

    def spelt(self, value: Any) -> str:
        return " ".join(",".join(map(spelt_number, place)) for place in value)

    def moved(self, value: Quad, view: View) -> Quad:
        return tuple(view.place(x, y) for x, y in value)

    def draw(self, rng: random.Random) -> Quad:
        left, top, right, bottom = (rng.uniform(0, 4), rng.uniform(0, 4), rng.uniform(24, 30), rng.uniform(18, 23))
        return (left, top), (right, top + 1), (right - 1, bottom), (left + 1, bottom - 1)

    def misfits(self) -> Iterator[Any]:
        yield from ("1,2 3,4", "a,b c,d e,f g,h", "nan,0 1,0 1,1 0,1", (1, 2, 3, 4), 7, object())


Corners = Annotated[Quad, CornersKind()]

__all__ = ["Corners", "CornersKind", "Quad"]

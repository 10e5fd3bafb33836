"""Rectangles in a picture."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, NamedTuple

from danqing.core.fields.kind import View
from danqing.core.fields.places import PlacesKind


class Rectangle(NamedTuple):
    """A rectangle in pixels, left and top counted from 0."""

    left: int
    top: int
    width: int
    height: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


class BoxKind(PlacesKind):
    """A rectangle in pixels; only the picture knows whether it lies inside."""

    noun: ClassVar[str] = "a box"
    metavar: ClassVar[str] = "L,T,W,H"
    widget: ClassVar[str] = "box"
    form: ClassVar[str] = "left,top,width,height"
    example: ClassVar[str] = "40,30,200,150"
    whole: ClassVar[bool] = True

    def made(self, values: list[float]) -> Rectangle | None:
        if len(values) != 4 or min(values) < 0 or min(values[2:]) < 1 or max(values) >= 2**31:
            return None
        return Rectangle(*map(int, values))

    def spelt(self, value: Any) -> str:
        return ",".join(map(str, value))

    def moved(self, value: Rectangle, view: View) -> Rectangle:
        left, top = (max(0, round(each)) for each in view.place(value.left, value.top))
        return Rectangle(left, top, *(max(1, round(each * view.scale)) for each in value[2:]))

    def draw(self, rng: random.Random) -> Rectangle:
        return Rectangle(rng.randrange(8), rng.randrange(8), rng.randrange(3, 16), rng.randrange(3, 16))

    def misfits(self) -> Iterator[Any]:
        yield from ("1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "1.5,0,5,5", "nan,0,5,5", (1, 2, 3), 7, object())


Box = Annotated[Rectangle, BoxKind()]

__all__ = ["Box", "BoxKind", "Rectangle"]

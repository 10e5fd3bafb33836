"""How far to go along each of several directions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.places import PlacesKind, spelt_number

MOST, FARTHEST = 64, 10.0


class MovesKind(PlacesKind):
    """One number for each direction, the first ones first; those left out are 0."""

    noun: ClassVar[str] = "moves"
    metavar: ClassVar[str] = "A,B,…"
    widget: ClassVar[str] = "latents"
    form: ClassVar[str] = f"a,b,… with 1 to {MOST} numbers in −{FARTHEST:g}…{FARTHEST:g}"
    example: ClassVar[str] = "1.5,0,-2"

    def made(self, values: list[float]) -> tuple[float, ...] | None:
        return tuple(values) if 1 <= len(values) <= MOST and max(map(abs, values)) <= FARTHEST else None

    def spelt(self, value: Any) -> str:
        return ",".join(map(spelt_number, value))

    def draw(self, rng: random.Random) -> tuple[float, ...]:
        return tuple(rng.uniform(-2, 2) for _ in range(rng.randrange(1, 4)))

    def misfits(self) -> Iterator[Any]:
        yield from ("", "a,b", "1;2", "11", "nan", (1, "2"), ",".join("0" * (MOST + 1)), 7, object())


Moves = Annotated[tuple[float, ...], MovesKind()]

__all__ = ["Moves", "MovesKind"]

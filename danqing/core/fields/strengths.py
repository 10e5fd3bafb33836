"""Strengths of several things, one number each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.places import PlacesKind, spelt_number

MOST = 3  # numbers
STRONGEST = 2.0

Numbers = tuple[float, ...]


class StrengthsKind(PlacesKind):
    """One number for all, or one for each; how many things there are, only the work knows."""

    noun: ClassVar[str] = "a strength"
    metavar: ClassVar[str] = "S[,S…]"
    form: ClassVar[str] = "S,S"
    example: ClassVar[str] = "0.7,0.3"

    def expected(self) -> str:
        return f"one strength for all, or one for each, at most {STRONGEST:g}, such as {self.example}"

    def made(self, values: list[float]) -> Numbers | None:
        return tuple(values) if 1 <= len(values) <= MOST and all(0 <= each <= STRONGEST for each in values) else None

    def check(self, value: Any, name: str) -> Any:
        return super().check(
            (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value, name
        )

    def spelt(self, value: Any) -> str:
        return value if isinstance(value, str) else ",".join(map(spelt_number, value))

    def draw(self, rng: random.Random) -> Numbers:
        return (rng.uniform(0, STRONGEST),)

    def misfits(self) -> Iterator[Any]:
        yield from ("", "a", "-1", "0.5,3", "1,1,1,1", (), True, object())


Strengths = Annotated[Numbers, StrengthsKind()]

__all__ = ["Numbers", "Strengths", "StrengthsKind"]

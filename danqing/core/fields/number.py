"""Numbers, whole or not, in a range."""

from __future__ import annotations

import math
import numbers
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind, View
from danqing.core.finite import finite

UNREACHED = 1e9  # an upper end that nobody reaches is left open in words


@dataclass(frozen=True)
class Range:
    """The inclusive range of a number, with its unit."""

    low: float
    high: float = math.inf
    unit: str = ""

    def __str__(self) -> str:
        high = "" if self.high >= UNREACHED else f"{self.high:g}"
        return f"{self.low:g}…{high}{' ' + self.unit if self.unit else ''}"


@dataclass(frozen=True)
class NumberKind(Kind):
    """A number: ``int`` or ``float``, mostly with a :class:`Range` beside it."""

    whole: bool = False
    range: Range | None = None
    widget: ClassVar[str] = "slider"

    @property
    def metavar(self) -> str:  # type: ignore[override]  # what a number may be depends on the one at hand
        """The range, or what kind of number it is."""
        return str(self.range) if self.range else "N" if self.whole else "NUMBER"

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        if hint not in (int, float):
            return None
        return cls(hint is int, next((mark for mark in marks if isinstance(mark, Range)), None))

    def expected(self) -> str:
        return f"a {'whole ' if self.whole else ''}number{f' in {self.range}' if self.range else ''}"

    def parse(self, text: str) -> int | float:
        return int(text) if self.whole else float(text)

    def check(self, value: Any, name: str) -> int | float:
        wanted: Any = numbers.Integral if self.whole else numbers.Real
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise self.refuse(value, name)
        if finite(value) is None:
            raise self.refuse(value, name)
        number: int | float = int(value) if self.whole else float(value)  # NumPy's numbers become Python's
        if self.range and number > self.range.high >= UNREACHED:
            raise self.refuse(value, name, f"Give at most {int(self.range.high)}")
        if self.range and not self.range.low <= number <= self.range.high:
            raise self.refuse(value, name)
        return number

    def json_schema(self) -> dict[str, Any]:
        out: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        if self.range is not None:
            ends = {"minimum": self.range.low, "maximum": self.range.high}
            out |= {word: end for word, end in ends.items() if not math.isinf(end)}
            out |= {"x-unit": self.range.unit} if self.range.unit else {}
        return out

    def moved(self, value: float, view: View) -> float:
        if self.range is None or self.range.unit != "px" or view.scale == 1:
            return value
        scaled = min(self.range.high, max(self.range.low, value * view.scale))
        return round(scaled) if self.whole else scaled

    def draw(self, rng: random.Random) -> int | float:
        low, high = (self.range.low, self.range.high) if self.range else (-10.0, 10.0)
        if self.whole:
            return int(min(high, low + 10 ** rng.uniform(0, 1.5) - 1))
        if low > 0 and high / low > 1000:  # such as a scale: even on the logarithmic axis, within reason
            return float(10 ** rng.uniform(math.log10(max(low, 0.01)), math.log10(min(high, max(10, 100 * low)))))
        return rng.uniform(low, min(high, low + 1000))

    def misfits(self) -> Iterator[Any]:
        yield from ("1", True, math.nan, object())
        yield from (1.5,) if self.whole else (math.inf, -math.inf)
        if self.range is not None:
            yield self.range.low - 1
            if not math.isinf(self.range.high):
                yield int(self.range.high) + 1


__all__ = ["NumberKind", "Range"]

"""How long a run lasts: time, pictures seen, or epochs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Literal, NamedTuple

from danqing.core.errors import ParameterError
from danqing.core.fields.text import TextKind

_UNITS: dict[str, tuple[Literal["seconds", "pictures", "epochs"], float]] = {
    "s": ("seconds", 1), "sec": ("seconds", 1), "m": ("seconds", 60), "min": ("seconds", 60), "h": ("seconds", 3600),
    "d": ("seconds", 86400), "pictures": ("pictures", 1), "img": ("pictures", 1), "kimg": ("pictures", 1000),
    "mimg": ("pictures", 1_000_000), "epochs": ("epochs", 1), "epoch": ("epochs", 1),
}  # fmt: skip
_PERCENT = "%"
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,40})?"
_ABOVE_NOTHING = "(?=[0-9.]*[1-9])"
REMEDY = "Say 90s, 10m, 2h, 500kimg, 20000pictures or 20epochs"


class Spent(NamedTuple):
    """What a run has used so far."""

    seconds: float
    pictures: int
    epochs: float


@dataclass(frozen=True)
class Budget:
    """An amount of one of the three currencies."""

    currency: Literal["seconds", "pictures", "epochs"]
    amount: float

    @classmethod
    def parse(cls, text: str, of: Budget | None = None, name: str = "budget") -> Budget:
        """Read ``90s``, ``10m``, ``2h``, ``500kimg``, ``20000pictures``, ``20epochs``, or ``10%`` of another budget.

        Raises:
            ParameterError: naming the parameter, if it is none of these, or not more than nothing.
        """
        match = re.fullmatch(rf"\s*({_NUMBER})\s*([a-z{_PERCENT}]*)\s*", text.lower())
        number, unit = (float(match[1]), match[2]) if match else (0.0, "")
        if number > 0 and unit == _PERCENT and of is not None:
            return cls(of.currency, of.amount * number / 100)
        if not number or unit not in _UNITS:
            nothing = match is not None and not number
            why = "a budget must be more than nothing" if nothing else f"{text[:80]!r} is not a budget"
            raise ParameterError(why, where=name, remedy=REMEDY)
        currency, worth = _UNITS[unit]
        return cls(currency, number * worth)

    def share(self, spent: Spent) -> float:
        """How much of it is used, 0 to 1 and beyond."""
        return float(getattr(spent, self.currency)) / self.amount

    def times(self, factor: float) -> Budget:
        """So many times as much."""
        return Budget(self.currency, self.amount * factor)

    def text(self) -> str:
        """As a person types it and :meth:`parse` reads it: in the largest unit of which it is a whole number."""
        units = {unit: worth for unit, (currency, worth) in _UNITS.items() if currency == self.currency}
        whole = [unit for unit, worth in units.items() if (self.amount / worth).is_integer()]
        unit = max(whole, key=units.__getitem__) if whole else next(iter(units))
        number = self.amount / units[unit]
        return f"{number:.0f}{unit}" if whole else f"{Decimal(repr(number)):f}{unit}"

    def __str__(self) -> str:
        if self.currency != "seconds":
            return f"{self.amount:,.0f} {self.currency}"
        minutes, seconds = divmod(round(self.amount), 60)
        return f"{minutes} min {seconds:02} s" if minutes else f"{self.amount:g} s"


@dataclass(frozen=True)
class BudgetKind(TextKind):
    """A budget as a person types it, which is how configs and recipes hold it; or, if it may be, a share of another."""

    is_share: bool = False
    noun: ClassVar[str] = "a budget"
    metavar: ClassVar[str] = "BUDGET"
    widget: ClassVar[str] = "budget"

    def expected(self) -> str:
        return f"{self.noun}, or a share of one" if self.is_share else self.noun

    def check(self, value: Any, name: str) -> Any:
        if not isinstance(value, str):
            raise self.refuse(value, name, REMEDY)
        Budget.parse(value, Budget("seconds", 1) if self.is_share else None, name)
        return value

    def json_schema(self) -> dict[str, Any]:
        units = "|".join(map(_in_either_case, (*_UNITS, *([_PERCENT] if self.is_share else []))))
        return {"type": "string", "pattern": rf"^\s*{_ABOVE_NOTHING}{_NUMBER}\s*({units})\s*$"}

    def draw(self, rng: random.Random) -> Any:
        return f"{rng.randrange(1, 1000)}{rng.choice(list(_UNITS))}"

    def misfits(self) -> Iterator[Any]:
        yield from ("", "0", "0m", "-3m", "5", "soon", "10 parsecs", 3, object())
        yield "0%" if self.is_share else "5%"


def _in_either_case(word: str) -> str:
    """A pattern of a word in small letters, capitals or both; JSON Schema has no switch for it."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


__all__ = ["Budget", "BudgetKind", "Spent"]

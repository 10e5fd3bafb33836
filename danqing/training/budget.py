"""How long a run lasts: time, pictures seen, or epochs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from danqing.core.errors import ParameterError

_UNITS: dict[str, tuple[Literal["seconds", "pictures", "epochs"], float]] = {
    "s": ("seconds", 1), "sec": ("seconds", 1), "m": ("seconds", 60), "min": ("seconds", 60), "h": ("seconds", 3600),
    "d": ("seconds", 86400), "pictures": ("pictures", 1), "img": ("pictures", 1), "kimg": ("pictures", 1000),
    "mimg": ("pictures", 1_000_000), "epochs": ("epochs", 1), "epoch": ("epochs", 1),
}  # fmt: skip


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
    def parse(cls, text: str, of: Budget | None = None) -> Budget:
        """Read ``90s``, ``10m``, ``2h``, ``500kimg``, ``20000pictures``, ``20epochs``, or ``10%`` of another budget.

        Raises:
            ParameterError: if it is none of these, or not more than nothing.
        """
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z%]+)\s*", text.lower())
        number, unit = (float(match[1]), match[2]) if match else (0.0, "")
        if number > 0 and unit == "%" and of is not None:
            return cls(of.currency, of.amount * number / 100)
        if not 0 < number < math.inf or unit not in _UNITS:
            why = "a budget must be more than nothing" if match and not number else f"{text[:80]!r} is not a budget"
            raise ParameterError(why, where="budget", remedy="Say 90s, 10m, 2h, 500kimg, 20000pictures or 20epochs")
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

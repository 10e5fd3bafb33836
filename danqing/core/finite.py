"""Numbers that strangers send: JSON holds whole numbers of any length, and NaN; a computer reckons with neither."""

from __future__ import annotations

import math
import numbers
from typing import Any


def finite(value: Any) -> float | None:
    """A number as a float; None of what is no real number, not finite, or greater than a float can be."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


__all__ = ["finite"]

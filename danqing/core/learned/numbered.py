"""Numbers by which people name what has one."""

from __future__ import annotations

SHOWN = 80  # characters of what is no such number


def numbered(text: str, count: int) -> int | None:
    """The number 0…count − 1 that digits say; None where they say none of these, however many digits there are."""
    digits = text.lstrip("0") or text[-1:]
    if not digits.isdecimal() or len(digits) > len(str(count)):
        return None
    number = int(digits)
    return number if number < count else None


__all__ = ["SHOWN", "numbered"]

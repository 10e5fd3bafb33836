"""Directions by name, each with a factor."""

from __future__ import annotations

from typing import Annotated, ClassVar

from danqing.core.fields.text import TextKind


class AlongKind(TextKind):
    """Which of the directions that the same form asks for, and how far; only their file knows what it holds."""

    noun: ClassVar[str] = "names or numbers of directions, with factors"
    metavar: ClassVar[str] = "NAME=FACTOR,…"
    widget: ClassVar[str] = "along"


Along = Annotated[str, AlongKind()]

__all__ = ["Along", "AlongKind"]

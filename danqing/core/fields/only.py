"""Which of the things that were found are meant, by their labels."""

from __future__ import annotations

import random
from typing import Annotated, ClassVar

from danqing.core.fields.text import TextKind


class OnlyKind(TextKind):
    """Labels with commas between; empty: all. Only the boxes know whether there are such."""

    noun: ClassVar[str] = "the names of classes, with commas between"
    metavar: ClassVar[str] = "CLASSES"
    widget: ClassVar[str] = "classes"

    def draw(self, rng: random.Random) -> str:
        return rng.choice(("", "dog", "cat, dog"))


Only = Annotated[str, OnlyKind()]

__all__ = ["Only", "OnlyKind"]

"""Plain words."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind


class TextKind(Kind):
    """Any text: ``str``; kinds of text with a form of their own derive from it."""

    noun: ClassVar[str] = "a text"
    metavar: ClassVar[str] = "TEXT"

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return cls() if hint is str and cls is TextKind else None

    def check(self, value: Any, name: str) -> Any:
        if not isinstance(value, str):
            raise self.refuse(value, name)
        return value

    def draw(self, rng: random.Random) -> Any:
        return None

    def misfits(self) -> Iterator[Any]:
        yield from (3, object())


__all__ = ["TextKind"]

"""One of a few values: ``Literal["soft", "hard"]``."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args, get_origin

from danqing.core.fields.kind import Kind


@dataclass(frozen=True)
class ChoiceKind(Kind):
    """One of a few values, which are listed."""

    values: tuple[Any, ...] = ()
    widget: ClassVar[str] = "choice"

    @property
    def metavar(self) -> str:  # type: ignore[override]
        """All of them."""
        return " ".join(map(str, self.values))

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return cls(get_args(hint)) if get_origin(hint) is Literal else None

    def expected(self) -> str:
        return "one of " + ", ".join(map(str, self.values))

    def choices(self) -> tuple[Any, ...]:
        return self.values

    def parse(self, text: str) -> Any:
        return {str(value): value for value in self.values}.get(text, text)

    def check(self, value: Any, name: str) -> Any:
        if not any(value is each or (type(value) is type(each) and value == each) for each in self.values):
            raise self.refuse(value, name)
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}

    def draw(self, rng: random.Random) -> Any:
        return rng.choice(self.values)

    def misfits(self) -> Iterator[Any]:
        yield from ("no such choice", -3, object())


__all__ = ["ChoiceKind"]

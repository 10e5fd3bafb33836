"""Yes or no."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind

TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class BooleanKind(Kind):
    """A switch: ``bool``."""

    noun: ClassVar[str] = "yes or no"
    widget: ClassVar[str] = "switch"
    is_switch: ClassVar[bool] = True

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return cls() if hint is bool else None

    def parse(self, text: str) -> bool:
        if text.lower() in TRUE or text.lower() in FALSE:
            return text.lower() in TRUE
        raise ValueError(text)

    def check(self, value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(value, name)
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def draw(self, rng: random.Random) -> bool:
        return rng.random() < 0.5

    def misfits(self) -> Iterator[Any]:
        yield from (1, "yes", object())


__all__ = ["BooleanKind"]

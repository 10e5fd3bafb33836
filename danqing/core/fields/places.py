"""Places in a picture, typed as a few numbers between commas: what boxes, points, corners and curves share."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.finite import finite

BETWEEN = re.compile(r"\s*[,\s]\s*")


class PlacesKind(Kind):
    """Rows of numbers such as ``12,30 410,8``.

    Attributes:
        form: how a row is spelt.
        example: a value as it is typed.
        whole: whether the numbers are whole.
    """

    form: ClassVar[str]
    example: ClassVar[str]
    whole: ClassVar[bool] = False

    def expected(self) -> str:
        return f"{self.noun} of the form {self.form}, {'whole ' if self.whole else ''}numbers, such as {self.example}"

    def parse(self, text: str) -> Any:
        return text

    def check(self, value: Any, name: str) -> Any:
        found = self._numbers(value)
        made = None if found is None else self.made(found)
        if made is None:
            raise self.refuse(value if isinstance(value, str) else str(value)[:80], name)
        return made

    @abstractmethod
    def made(self, values: list[float]) -> Any:
        """The value that these numbers make; None if they make none."""

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": self.name, "examples": [self.example]}

    def plain(self, value: Any) -> str:
        return self.spelt(value)

    def _numbers(self, value: Any) -> list[float] | None:
        if isinstance(value, str):
            try:
                flat: list[Any] = [float(part) for part in BETWEEN.split(value.strip())]
            except ValueError:
                return None
        elif isinstance(value, Sequence):
            flat = [part for each in value for part in (each if isinstance(each, Sequence) else [each])]
        else:
            return None
        found = [number for each in flat if (number := finite(each)) is not None]
        sound = len(found) == len(flat) and (not self.whole or all(each == int(each) for each in found))
        return found if sound else None


def spelt_number(value: float) -> str:
    """A number as it is typed: without a fraction where it has none."""
    return str(int(value)) if value == int(value) else repr(float(value))


__all__ = ["PlacesKind", "spelt_number"]

"""Colours."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.finite import finite

RGB = tuple[float, float, float]


class ColourKind(Kind):
    """A colour: red, green and blue in [0, 1]; people write it ``#rrggbb``."""

    noun: ClassVar[str] = "a colour such as #ff8800"
    metavar: ClassVar[str] = "#RRGGBB"
    widget: ClassVar[str] = "colour"

    def parse(self, text: str) -> RGB:
        digits = text.removeprefix("#")
        if not re.fullmatch("[0-9a-fA-F]{6}", digits):
            raise ValueError(text)
        red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return red, green, blue

    def check(self, value: Any, name: str) -> RGB:
        if isinstance(value, str):
            try:
                return self.parse(value)
            except ValueError:
                raise self.refuse(value, name) from None
        if isinstance(value, tuple | list) and len(value) == 3 and all(map(_is_share, value)):
            red, green, blue = map(float, value)
            return red, green, blue
        raise self.refuse(value, name)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}

    def spelt(self, value: Any) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in value)

    def plain(self, value: Any) -> list[float]:
        return list(value)

    def draw(self, rng: random.Random) -> RGB:
        return rng.random(), rng.random(), rng.random()

    def misfits(self) -> Iterator[Any]:
        yield from ("red", "#12345", (2, 0, 0), (0, 0), (math.nan, 0, 0), 1, object())


def _is_share(value: Any) -> bool:
    share = finite(value)
    return share is not None and 0 <= share <= 1


Colour = Annotated[RGB, ColourKind()]

__all__ = ["RGB", "Colour", "ColourKind"]

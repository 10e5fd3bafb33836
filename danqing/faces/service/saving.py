"""How a client wants results kept in files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from danqing.core.artefacts.saving import QUALITY, Saving
from danqing.core.errors import ParameterError
from danqing.core.operators.operator import Operator

FORMATS = ("png", "jpg", "jpeg", "webp", "tif", "tiff", "avif", "gif", "mp4")


@dataclass(frozen=True)
class Kept:
    """How results are kept: a format, by default that of the picture worked on, and the settings of its files."""

    format: str = ""
    saving: Saving = field(default_factory=Saving)

    @classmethod
    def of(cls, asked: dict[str, Any] | None, pixels: int) -> Kept:
        """What a client asked for, for pictures of at most so many pixels.

        Raises:
            ParameterError: for a value that does not fit.
        """
        given = {name: value for name, value in (asked or {}).items() if value is not None}
        form = str(given.pop("format", "")).lower().lstrip(".")
        if form and form not in FORMATS:
            raise ParameterError(f"{form[:20]!r} is not one of {', '.join(FORMATS)}", where="format")
        whole = {name: _whole(name, value) for name, value in given.items()}
        return cls(form, Saving(depth=_depth(whole.get("depth")), quality=whole.get("quality", QUALITY),
                                columns=whole.get("columns", 0), limit=pixels / 1e6))  # fmt: skip

    def suffix(self, operator: Operator[..., Any]) -> str:
        """The suffix of an operator's files; empty: as each picture has it.

        Raises:
            OutputError: if what it makes cannot go into such a file.
        """
        if not self.format or f".{self.format}" not in operator.makes.suffixes or operator.makes.tells:
            return ""
        return f".{self.format}"

    def told(self) -> dict[str, Any]:
        """As JSON values, from which :meth:`of` makes the same."""
        saving = self.saving
        return {"format": self.format, "depth": saving.depth, "quality": saving.quality, "columns": saving.columns}


def _whole(name: str, value: Any) -> int:
    limits = {"depth": (8, 16), "quality": range(1, 101), "columns": range(1001)}
    if name not in limits:
        raise ParameterError("no such parameter", where=name[:100], remedy="Known: format, depth, quality, columns")
    number = int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 9 else value
    number = int(number) if isinstance(number, float) and number.is_integer() else number
    if isinstance(number, bool) or not isinstance(number, int) or number not in limits[name]:
        spelt = "8 or 16" if name == "depth" else f"a whole number in {limits[name][0]}…{limits[name][-1]}"
        raise ParameterError(f"{value!r} is not {spelt}"[:200], where=name)
    return number


def _depth(value: int | None) -> Literal[8, 16] | None:
    return 8 if value == 8 else 16 if value == 16 else None


__all__ = ["FORMATS", "Kept"]

"""Seeds: what fixes every random choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from danqing.core.fields.number import NumberKind, Range

LARGEST = 2**63 - 1


@dataclass(frozen=True)
class SeedKind(NumberKind):
    """A seed: a whole number that a page rolls by dice, and that JSON carries as text where it is beyond 2^53."""

    whole: bool = True
    range: Range | None = Range(0, LARGEST)  # noqa: RUF009 (immutable)
    widget: ClassVar[str] = "seed"

    def expected(self) -> str:
        """The whole range, since somebody went beyond it."""
        return f"a whole number in 0…{LARGEST}"

    @property
    def metavar(self) -> str:  # type: ignore[override]
        """A whole number; nobody wants to read the end of its range."""
        return "N"

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> None:
        """Never a plain number: a seed is marked as one."""

    def json_schema(self) -> dict[str, Any]:
        digits = {"type": "string", "pattern": "^[0-9]{1,19}$"}
        return {"anyOf": [{"type": "integer", "minimum": 0, "maximum": LARGEST}, digits], "x-unit": "seed"}


Seed = Annotated[int, SeedKind()]

__all__ = ["Seed", "SeedKind"]

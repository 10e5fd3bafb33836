"""Points and directions of a model's latent space, kept in files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.learned.kept import Directions, Kept, Latents


@dataclass(frozen=True)
class KeptKind(Kind):
    """A file of latents or of directions; the function receives what is in it. The annotation says which."""

    base: type[Kept] = Latents
    metavar: ClassVar[str] = "FILE"
    widget: ClassVar[str] = "file"
    leads: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return cls(hint) if hint in (Latents, Directions) else None

    def expected(self) -> str:
        return f"a file of {self.base.kind()}"

    def check(self, value: Any, name: str) -> Kept:
        if isinstance(value, self.base):
            return value
        if not isinstance(value, str | Path):
            raise self.refuse(value, name)
        return self.base.read(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": self.base.kind()}

    def plain(self, value: Any) -> Any:
        return f"{self.base.kind()} of {value.family} {value.model}"

    def names_file(self, value: Any) -> bool:
        return isinstance(value, str | Path)

    def load(self, file: Path, most: int | None) -> Any:
        return self.base.read(file)

    def draw(self, rng: random.Random) -> Any:
        return None

    def misfits(self) -> Iterator[Any]:
        yield from ("no such file", 3, object())


__all__ = ["KeptKind"]

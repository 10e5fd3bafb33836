"""Files and folders."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.pictures.state import state_of


class PathKind(Kind):
    """A place on the disk: ``pathlib.Path``; where a file lies there, the work depends on what is in it.

    Kinds of places derive from it.
    """

    noun: ClassVar[str] = "a file"
    metavar: ClassVar[str] = "PATH"
    widget: ClassVar[str] = "file"
    leads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return cls() if hint is Path and cls is PathKind else None

    def parse(self, text: str) -> Path:
        return Path(text)

    def check(self, value: Any, name: str) -> Path:
        if not isinstance(value, str | Path):
            raise self.refuse(value, name)
        return Path(value)

    def plain(self, value: Any) -> str:
        return str(value)

    def names_file(self, value: Any) -> bool:
        return Path(value).is_file()

    def state(self, value: Any, without: Sequence[Path] = ()) -> str | None:
        return state_of(Path(value), without) if os.path.isdir(value) else ""

    def draw(self, rng: random.Random) -> Any:
        return None

    def misfits(self) -> Iterator[Any]:
        yield from (3, object())


__all__ = ["PathKind"]

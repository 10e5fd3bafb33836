"""Weights that are looked at, not loaded."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.learned.card import locate


class WeightsFileKind(Kind):
    """A weights file, a run folder or the name of bundled weights; the function receives the file."""

    noun: ClassVar[str] = "weights"
    metavar: ClassVar[str] = "MODEL"
    widget: ClassVar[str] = "model"
    leads: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    def check(self, value: Any, name: str) -> Path:
        if not isinstance(value, str | Path):
            raise self.refuse(value, name)
        return locate(value)

    def plain(self, value: Any) -> str:
        return str(value)

    def draw(self, rng: random.Random) -> Any:
        return None

    def misfits(self) -> Iterator[Any]:
        yield from ("no such weights", 3, object())


WeightsFile = Annotated[Path, WeightsFileKind()]

__all__ = ["WeightsFile", "WeightsFileKind"]

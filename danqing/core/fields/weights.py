"""Weights: what was learned."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.learned.weights import words_for


@dataclass(frozen=True)
class ForTask:
    """Marks weights that must have learned this task: ``Annotated[Restorer, ForTask("denoise")]``."""

    name: str


@dataclass(frozen=True)
class WeightsKind(Kind):
    """A model, given as a file, a run folder, the name of bundled weights or loaded already.

    The annotation says which: a base or a family, such as ``Painter``, and perhaps its task.
    """

    base: type[Model] = Model
    task: str = ""
    metavar: ClassVar[str] = "MODEL"
    widget: ClassVar[str] = "model"
    leads: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        if not (isinstance(hint, type) and issubclass(hint, Model)):
            return None
        return cls(hint, next((mark.name for mark in marks if isinstance(mark, ForTask)), ""))

    def expected(self) -> str:
        return f"weights of a {self.wanted}"

    @property
    def wanted(self) -> str:
        """Which models fit, in a word or two."""
        return f"{words_for(self.base)}{f' for {self.task}' if self.task else ''}"

    def check(self, value: Any, name: str) -> Model:
        if not isinstance(value, str | Path | Model):
            raise self.refuse(value, name)
        return cached(value, kind=self.base, task=self.task)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "weights", "x-model": self.base.__name__, "x-task": self.task}

    def draw(self, rng: random.Random) -> Any:
        return None

    def misfits(self) -> Iterator[Any]:
        yield from ("no such weights", 3, object())


__all__ = ["ForTask", "WeightsKind"]

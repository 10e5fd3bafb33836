"""How results go into files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from danqing.core.fields.number import Range
from danqing.core.recipe import Step

Take = int | str | None  # as a step of a recipe has it
GRID: Take = "grid"  # all pictures on one sheet
NEARLY_SQUARE = -1  # columns: as many as suit the number of pictures; a recipe of a sheet then names none
QUALITY = 92


@dataclass(frozen=True)
class Saving:
    """How results go into files.

    Args:
        force: replace what is there.
        depth: bits a channel; by default as many as the picture that was read has.
        quality: of JPEG, WebP, AVIF and MP4.
        columns: lay several pictures on one sheet with so many in a row; 0 writes them one by one.
        limit: largest picture to be read, in megapixels.
    """

    force: bool = False
    depth: Literal[8, 16] | None = None
    quality: Annotated[int, Range(1, 100)] = QUALITY
    columns: Annotated[int, Range(0, 1000)] = 0
    limit: Annotated[float, Range(0.0001, 1e9, "megapixels")] | None = None

    def facts(self, take: Take) -> dict[str, int]:
        """What a recipe must say of this, so that a replay writes the same file."""
        facts = {"depth": self.depth or 0, "quality": self.quality if self.quality != QUALITY else 0}
        return {k: v for k, v in {**facts, "columns": max(0, self.columns) if take == GRID else 0}.items() if v}

    @property
    def most(self) -> int | None:
        """The most pixels of a picture to be read."""
        return None if self.limit is None else max(1, int(self.limit * 1_000_000))

    @classmethod
    def of(cls, step: Step, force: bool = False) -> Saving:
        """How a step's picture was saved."""
        columns = step.saved.get("columns", NEARLY_SQUARE) if step.take == GRID else 0
        depth: Literal[8, 16] | None = {8: 8, 16: 16}.get(step.saved.get("depth", 0))  # type: ignore[assignment]
        return cls(force, depth, step.saved.get("quality", QUALITY), columns)


def goes_beside(step: Step) -> bool:
    """Whether a step's file is a picture with a name that goes beside what was asked for."""
    return isinstance(step.take, str) and step.take != GRID


__all__ = ["GRID", "NEARLY_SQUARE", "QUALITY", "Saving", "Take", "goes_beside"]

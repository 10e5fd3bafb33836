"""How a client wants results kept in files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from danqing.core.artefacts.saving import QUALITY, Saving
from danqing.core.errors import OutputError, ParameterError
from danqing.core.operators.operator import Operator
from danqing.core.operators.task import Task

BESIDE = "png"  # the format of pictures beside numbers
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
        named = given.pop("format", "")
        form = named.lower().lstrip(".") if isinstance(named, str) else None
        if form is None or (form and form not in FORMATS):
            raise ParameterError(f"{_brief(named)} is not one of {', '.join(FORMATS)}", where="format")
        whole = {name: _whole(name, value) for name, value in given.items()}
        return cls(form, Saving(depth=_depth(whole.get("depth")), quality=whole.get("quality", QUALITY),
                                columns=whole.get("columns", 0), limit=pixels / 1e6))  # fmt: skip

    def check(self, task: Task[..., Any], values: Mapping[str, Any]) -> None:
        """Refuse a format that what a task makes of these values does not go into, as a command line refuses a name.

        Raises:
            OutputError: if it does not.
        """
        if not self._fits(task, values):
            known = " ".join(each for each in FORMATS if Kept(each)._fits(task, values))
            remedy = f"Known: {known}" if known else "Leave it out: there is but one kind of file for it"
            raise OutputError(f"{self.format} is no format for {task.makes.noun}", where="format", remedy=remedy)

    def of_step(
        self, own: dict[str, Any] | None, task: Task[..., Any], values: Mapping[str, Any], is_last: bool
    ) -> Kept:
        """How a step of a chain that is kept so keeps its result: as it says itself; on the way in a file of its usual
        kind where this format is none of its own.
        """
        if own:
            kept = Kept.of(own, 1)
            return replace(kept, saving=replace(kept.saving, limit=self.saving.limit))
        fits = is_last or (self._fits(task, values) and not task.makes.looks)
        return self if fits else replace(self, format="")

    def suffix(self, task: Task[..., Any]) -> str:
        """The suffix of a task's files; empty: as each picture has it, or figures with a picture beside them."""
        return "" if self._is_beside(task) or not self.format else f".{self.format}"

    def _is_beside(self, task: Task[..., Any]) -> bool:
        """Whether a picture of this format goes beside the numbers that are made, whatever is asked for."""
        return task.makes.tells and self.format == BESIDE

    def _fits(self, task: Task[..., Any], values: Mapping[str, Any]) -> bool:
        if not self.format:
            return True
        try:
            given = {**{each.name: each.default for each in task.fields}, **values}
            task.makes.check_place(Path(f"{task.name}.{self.format}"), Saving(), given)
        except OutputError:
            return False
        return isinstance(task, Operator)

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
        raise ParameterError(f"{_brief(value)} is not {spelt}", where=name)
    return number


def _brief(value: Any) -> str:
    """A value that does not fit, as far as it needs to be seen."""
    return repr(value)[:20] if isinstance(value, str | int | float) else type(value).__name__


def _depth(value: int | None) -> Literal[8, 16] | None:
    return 8 if value == 8 else 16 if value == 16 else None


__all__ = ["FORMATS", "Kept"]

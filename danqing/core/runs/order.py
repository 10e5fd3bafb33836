"""One piece of work from files to files: what is read, what is run, what is written, and what is there already."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.file import File
from danqing.core.artefacts.results import (
    Part,
    Saving,
    Take,
    is_kept,
    keep,
    numbered_name,
    numbers_in,
    numbers_of,
    parts,
    returns,
)
from danqing.core.errors import DanqingError
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.header import opened
from danqing.core.recipe import Step
from danqing.core.runs.call import Call
from danqing.core.runs.compute import MEGA, Loaded, load

ANY_SIZE = 2**62
State = Literal["done", "skipped", "failed"]


class Outcome(NamedTuple):
    """What became of one picture; ``source`` is None for an operator that takes none."""

    source: Path | None
    state: State
    files: tuple[Path, ...] = ()
    numbers: Any = None
    error: DanqingError | None = None


@dataclass(frozen=True)
class Order:
    """One piece of work.

    Attributes:
        call: the operator with its values.
        inputs: the files it reads, by parameter.
        target: the file to write; None when the numbers are all that is wanted.
        saving: how the result goes into the file.
        name: what people call it while it is worked on.
        numbered: whether even a single picture is numbered.
        pictured: whether the picture that comes with numbers is written beside them.
    """

    call: Call
    inputs: dict[str, Path]
    target: Path | None
    saving: Saving = field(default_factory=Saving)
    name: str = ""
    numbered: bool = False
    pictured: bool = False

    @property
    def source(self) -> Path | None:
        """The picture worked on."""
        return self.inputs.get(self.call.subject)

    def megapixels(self) -> float:
        """The size of the picture worked on, by its header; 0 where that cannot be told."""
        try:
            with opened(self.source or "", limit=ANY_SIZE) as picture:
                return picture.width * picture.height / MEGA
        except DanqingError:
            return 0.0

    def kept(self) -> Outcome | None:
        """What is there already, if nothing is left to do.

        Raises:
            OutputError: if something else is there and must not be replaced.
        """
        if self.target is None or not all(file.is_file() for file in self.inputs.values()):
            return None
        makes = returns(self.call.operator)
        files = self._files_to_be(self.target)
        there = [self._is_kept(Part(None, file, take)) for take, file in files]
        untold = makes == "finding" and self.target.suffix.lower() != ".json"  # its numbers are written nowhere
        if not all(there) or untold or (self.numbered and "count" not in self.call.values):
            return None
        numbers = numbers_in(self.target) if self.target.suffix.lower() == ".json" else None
        return Outcome(self.source, "skipped", tuple(file for _, file in files), numbers)

    def load(self) -> Loaded:
        """Read its files."""
        return load(self.call, self.inputs, self.saving.limit)

    def keep(self, loaded: Loaded, result: Any, like: Picture | None) -> Outcome:
        """Write the result.

        Args:
            loaded: what was read; its recipe goes on in the new one.
            result: what the operator returned.
            like: what the picture lends the file: depth, EXIF, alpha.

        Raises:
            OutputError: if it cannot be written.
        """
        numbers = numbers_of(result)
        if self.target is None:
            return Outcome(self.source, "done", (), numbers)
        before = (loaded.picture.recipe if loaded.picture is not None else None) or []
        written = self.parts(result, self.target)
        fresh = [part for part in written if not self._is_kept(part)]
        kept = [keep(part, [*before, self._step(part)], self.saving, like).content for part in fresh]
        if kept and isinstance(kept[0], File):
            numbers = numbers_of(kept)  # of the files as they are, recipes included
        return Outcome(self.source, "done" if fresh else "skipped", tuple(part.file for part in written), numbers)

    def parts(self, result: Any, target: Path) -> list[Part]:
        """The files of a result."""
        found = parts(result, target, self.saving.columns, self.numbered)
        if self.pictured and isinstance(result, Figures) and result.picture is not None:
            name = self.call.operator.name
            stem = target.stem if target.stem == name else f"{target.stem}-{name}"
            found += parts(result.picture, target.with_name(f"{stem}.png"))
        return found

    def _files_to_be(self, target: Path) -> list[tuple[Take, Path]]:
        """The files that will be written, as far as it is known before."""
        if self.numbered:
            return [(at, numbered_name(target, at)) for at in range(self.call.values.get("count", 1))]
        return [("grid" if self.saving.columns else None, target)]

    def _is_kept(self, part: Part) -> bool:
        return is_kept(part.file, self._step(part), self.saving.force) if part.file.exists() else False

    def _step(self, part: Part) -> Step:
        return self.call.step(self.inputs, part.file.parent, part.take, self.saving.facts(part.take))


__all__ = ["Order", "Outcome", "State"]

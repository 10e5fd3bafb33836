"""One piece of work: an operator with its values, the files it reads, the file it makes, and what is there already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from danqing.core.artefacts.artefact import Artefact, Part, numbered_name
from danqing.core.artefacts.figures import numbers_in
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.artefacts.saving import Saving, Take
from danqing.core.disk import beside, hash_of, seen_from
from danqing.core.errors import DanqingError, OutputError
from danqing.core.fields.form import checked
from danqing.core.learned.card import bundled_name
from danqing.core.learned.model import Model
from danqing.core.learned.weights import hash_of_tensors
from danqing.core.operators.operator import Operator
from danqing.core.pictures.names import fitting
from danqing.core.recipe import Recipe, Step
from danqing.core.runs.sameness import other_use, same_work
from danqing.core.uses import Uses

NEVER_OVER_SOURCES = "Choose another name: danqing never writes over the files it works from"
State = Literal["done", "skipped", "failed"]


@dataclass(frozen=True)
class Call:
    """An operator with its values.

    Attributes:
        operator: what is to be run.
        values: checked values of all parameters that no file stands for; weights are loaded.
        files: the files of the others, by name; a folder stands for the partners of the pictures.
    """

    operator: Operator[..., Any]
    values: dict[str, Any]
    files: dict[str, Path]

    @classmethod
    def of(cls, operator: Operator[..., Any], values: Mapping[str, Any]) -> Call:
        """Check the values of an operator and load its weights; a None is as good as not given.

        Raises:
            ParameterError: for a value that is missing, unknown or does not fit.
            ModelFileError: for weights that cannot be used.
        """
        given = {name: value for name, value in values.items() if value is not None}
        named = [each.name for each in operator.form if each.name in given and each.kind.names_file(given[each.name])]
        for each in operator.form:
            each.check_said(given.get(each.name))
        files = {name: Path(given.pop(name)) for name in named}
        return cls(operator, checked((each for each in operator.form if each.name not in files), given), files)

    def step(
        self, inputs: Mapping[str, Path], home: Path, take: Take = None, saved: dict[str, int] | None = None
    ) -> Step:
        """Write the call down.

        Args:
            inputs: the files it reads, by parameter.
            home: the folder of the picture to be, from which paths are seen: they move together.
            take: which picture of a result with several.
            saved: how the result goes into the file, where not by default.
        """
        kinds = {each.name: each.kind for each in self.operator.form}
        weights = {name: value for name, value in self.values.items() if isinstance(value, Model)}
        plain = {
            name: None if value is None else beside(home, kinds[name].plain(value))
            for name, value in self.values.items()
            if name not in weights and not kinds[name].is_picture
        }
        return Step(
            operator=self.operator.name,
            params=plain,
            inputs=[{"as": k, "path": seen_from(home, v), "sha256": hash_of(v)} for k, v in inputs.items()],
            weights={name: _named(model, home) for name, model in weights.items()},
            take=take,
            saved=saved or {},
            version=self.operator.version,
        )


class Outcome(NamedTuple):
    """What became of one piece of work; ``source`` is None where none was worked on.

    Attributes:
        source: the picture worked on.
        state: done, skipped (there already) or failed.
        files: what was written, or is there.
        numbers: JSON values.
        error: why it failed.
        notes: what a person should know of it.
        made: what was made; of many pieces of work, nothing is held on to.
    """

    source: Path | None
    state: State
    files: tuple[Path, ...] = ()
    numbers: Any = None
    error: DanqingError | None = None
    notes: tuple[str, ...] = ()
    made: Artefact | None = None


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
        beside: whether the pictures that come with numbers are written beside them.
        alone: whether it has a folder of its own, where no other result needs the name.
    """

    call: Call
    inputs: dict[str, Path]
    target: Path | None
    saving: Saving = field(default_factory=Saving)
    name: str = ""
    numbered: bool = False
    beside: bool = False
    alone: bool = False

    @property
    def source(self) -> Path | None:
        """The picture worked on."""
        return self.inputs.get(self.call.operator.subject)

    def files_to_be(self) -> list[tuple[Take, Path]]:
        """The files that will be written, as far as it is known before."""
        if self.target is None:
            return []
        if self.numbered:
            count = self.call.values.get("count", 1)
            return [(at, numbered_name(self.target, at)) for at in range(count)]
        makes = self.call.operator.makes
        beside: list[tuple[Take, Path]] = []
        if self.beside and makes.tells:
            beside = [(None, self._picture_beside(self.target))]
        beside += makes.beside(self.target)
        return [("grid" if self.saving.columns else None, self.target), *beside]

    def kept(self) -> Outcome | None:
        """What is there already, if nothing is left to do.

        Raises:
            OutputError: if something else is there and must not be replaced.
        """
        if self.target is None or not all(file.is_file() for file in self.inputs.values()):
            return None
        makes, files = self.call.operator.makes, self.files_to_be()
        there = [self.is_kept(file, take) for take, file in files]
        told = next((file for _, file in files if file.suffix.lower() == ".json"), None)
        if not all(there) or (makes.forgets and not told) or (self.numbered and "count" not in self.call.values):
            return None
        numbers = numbers_in(told) if told else None
        return Outcome(self.source, "skipped", tuple(file for _, file in files), numbers)

    def parts(self, result: Artefact) -> list[Part]:
        """The files of a result."""
        if self.target is None:
            return []
        found = result.parts(self.target, self.saving, self.numbered)
        if self.beside and found[0].content is result:
            found += result.parts_beside(self._picture_beside(self.target), self.saving)
        return found

    def is_kept(self, file: Path, take: Take) -> bool:
        """Whether a file holds, whole, the work of this order, so that nothing is left to do.

        Raises:
            OutputError: if it holds something else and must not be replaced.
        """
        if self.saving.force or not file.exists():
            return False
        recipe = _recipe_of(file)
        same = recipe and same_work(recipe[-1], self.step(file, take)) and self._has_same_sets(recipe[-1].uses)
        if same and recipe and not other_use(recipe[-1].uses):
            return self.call.operator.makes.is_whole(file)
        raise OutputError("exists already", where=file, remedy="Choose another place or give --force")

    def check_free(self, file: Path) -> None:
        """Refuse to write over anything that the work is done from.

        Raises:
            OutputError: if the file is one of those.
        """
        if any(os.path.realpath(file) == os.path.realpath(each) for each in self.inputs.values()):
            raise OutputError("is one of the files to be read", where=file, remedy=NEVER_OVER_SOURCES)

    def step(self, file: Path, take: Take, uses: Uses | None = None) -> Step:
        """The step that a file of the result carries."""
        step = self.call.step(self.inputs, file.parent, take, self.saving.facts(take))
        own = {each["sha256"] for each in step.weights.values()}
        others = {name: facts for name, facts in (uses or {}).items() if facts.get("sha256") not in own}
        return replace(step, uses=others | self.known_states)

    @cached_property
    def states(self) -> dict[str, str | None]:
        """What tells the sets and folders that it works from, by parameter; None where that cannot be told."""
        own = [file for _, file in self.files_to_be()]
        given = ((each, self.call.values.get(each.name)) for each in self.call.operator.form if each.kind.opens)
        found = {each.name: each.kind.state(value, own) for each, value in given if value is not None}
        return {name: state for name, state in found.items() if state != ""}

    @property
    def known_states(self) -> Uses:
        """Those that can be told, as a recipe holds them."""
        return {name: {"sha256": state} for name, state in self.states.items() if state is not None}

    def _has_same_sets(self, uses: Uses) -> bool:
        """Whether sets and folders hold what they held when something was made."""
        known = self.known_states
        return known.keys() == self.states.keys() and all(uses.get(each) == known[each] for each in known)

    def _picture_beside(self, target: Path) -> Path:
        name = self.call.operator.name
        has_it = target.stem == name or (self.alone and target.stem.endswith(f"-{name}"))
        ending = ".png" if has_it else f"-{name}.png"
        return target.with_name(fitting(target.stem, ending))


def _recipe_of(file: Path) -> Recipe | None:
    try:
        return recipe_in(file)
    except DanqingError:
        return None


def _named(model: Model, home: Path) -> dict[str, str]:
    """Say which weights these are: by name when they come with danqing, by path otherwise."""
    file = model.card.get("file")
    if file is None:
        return {"name": f"a {model.family} in memory", "sha256": hash_of_tensors(model)}
    return {"name": bundled_name(model) or seen_from(home, Path(file)), "sha256": model.card["sha256"]}


__all__ = ["NEVER_OVER_SOURCES", "Call", "Order", "Outcome", "State"]

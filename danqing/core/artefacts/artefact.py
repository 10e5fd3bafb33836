"""What a task makes: how it goes into files, comes with numbers, and is compared; each kind is one file here."""

from __future__ import annotations

import functools
import math
import random
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from torch import Tensor

from danqing.core.errors import DanqingError, OutputError
from danqing.core.menu import subclasses_in
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.names import fitting
from danqing.core.progress import Job
from danqing.core.recipe import Recipe

if TYPE_CHECKING:
    from danqing.core.artefacts.saving import Saving, Take
    from danqing.core.learned.kept import Kept

ARTEFACTS = "core/artefacts"


class Part(NamedTuple):
    """One file of a result: what goes in, where, and which one of several it is."""

    content: Artefact
    file: Path
    take: Take = None


class Artefact(ABC):
    """Base of all kinds of results.

    Attributes:
        noun: what it is, in words.
        suffixes: of the files it goes into, its usual one first.
        tells: whether its numbers are a result of their own, so that no file need be written.
        forgets: whether its files do not hold its numbers, so that only making it again tells them.
        gathers: whether several may be laid on one sheet.
        looks: whether its pictures are drawings for the eye: a further step works on what was looked at.
        lives: whether it is whole in memory and made quickly enough to be looked at while a slider moves.
        holds: what its file keeps of a model's latent space; None: nothing.
        options: the settings of :class:`Saving` that mean something to it.
    """

    noun: ClassVar[str] = "a result"
    suffixes: ClassVar[tuple[str, ...]] = ()
    tells: ClassVar[bool] = False
    forgets: ClassVar[bool] = False
    gathers: ClassVar[bool] = False
    looks: ClassVar[bool] = False
    lives: ClassVar[bool] = False
    holds: ClassVar[type[Kept] | None] = None
    options: ClassVar[tuple[str, ...]] = ()
    place: ClassVar[str] = "Write the result here."

    @classmethod
    def means(cls, hint: Any) -> bool:
        """Whether a return annotation says that this is made."""
        return hint is cls

    @classmethod
    def of(cls, value: Any) -> Artefact:
        """What a function returned, as an artefact."""
        assert isinstance(value, cls), f"{type(value).__name__} is no {cls.__name__}"
        return value

    @classmethod
    def suffix(cls, values: dict[str, Any], source: Path | None) -> str:
        """The suffix of a file whose name nobody chose, for these values and the picture worked on."""
        return cls.suffixes[0]

    @classmethod
    def check_place(cls, file: Path, saving: Saving, values: dict[str, Any]) -> None:
        """Refuse a name, or settings of a file, that a result of these values cannot go into, before it is made.

        Raises:
            OutputError: if it cannot.
        """
        if file.suffix.lower() not in cls.suffixes:
            remedy = f"Known: {' '.join(cls.suffixes)}"
            raise OutputError(f"is no name for {cls.noun}", where=file, remedy=remedy)

    @classmethod
    def beside(cls, target: Path) -> list[tuple[Take, Path]]:
        """The further files that go beside the one of this name, and what each takes, as far as it is known before."""
        return []

    def parts(self, target: Path, saving: Saving, numbered: bool = False) -> list[Part]:
        """Share it out to files, whose names derive from ``target``; ``numbered``: even if there is but one.

        Raises:
            OutputError: if it cannot go into a file of this name.
        """
        return [Part(self, target)]

    def parts_beside(self, picture: Path, saving: Saving) -> list[Part]:
        """What goes beside its numbers where its pictures are wanted, too; named after ``picture``."""
        return []

    @abstractmethod
    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        """Write it with its recipe; ``like`` lends EXIF, alpha, resolution and depth. What was written comes back.

        Raises:
            OutputError: if it cannot be written, or another file is there and ``saving.force`` is off.
        """

    def keep(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Job[Artefact]:
        """The same as a job, for what is made while it is written."""
        yield from ()
        return self.write(file, recipe, saving, like)

    def as_written(self, file: Path, recipe: Recipe, like: Picture | None = None) -> Artefact:
        """What :meth:`write` would give back, where the file is there already."""
        return self

    @classmethod
    @abstractmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        """The recipe in a file of this kind; None if it carries none.

        Raises:
            UserError: if the file cannot be read, or its recipe is damaged or too new.
        """

    @classmethod
    @abstractmethod
    def same(cls, one: Path, other: Path) -> bool:
        """Whether two files of this kind hold the same, bit for bit, whatever their recipes say."""

    @classmethod
    def is_whole(cls, file: Path) -> bool:
        """Whether a file of this kind can be read to its end."""
        try:
            return cls.same(file, file)
        except DanqingError:
            return False

    @classmethod
    @abstractmethod
    def draw(cls, rng: random.Random) -> Artefact:
        """One that goes into a file of the usual suffix, for tests."""

    def told(self) -> Any:
        """Its figures as JSON values, a single row without its list; None if it has none."""
        return None

    def words(self) -> list[str]:
        """The figures as lines for people, where a table would not do."""
        return []

    def shown(self) -> Images | None:
        """The pictures (B, C, H, W) that it is, or that come with it, as far as they are in memory."""
        return None

    def nbytes(self) -> int:
        """The bytes of its pictures in memory."""
        shown = self.shown()
        return 0 if shown is None else shown.nbytes

    def thumbnail(self) -> Images | None:
        """A picture (1, C, H, W) that shows what it is; None where there is nothing to see."""
        return None


def artefact_of(function: Callable[..., Any]) -> type[Artefact]:
    """The kind that a function's return annotation says; a job of something makes it.

    Raises:
        TypeError: if no kind is meant (a mistake of the function's author).
    """
    hint = _returned(function)
    arguments = typing.get_args(hint)
    made = arguments[2] if len(arguments) == 3 else hint  # a Job[T] is a Generator[Progress, None, T]
    if isinstance(made, type) and issubclass(made, Artefact):
        return made
    found = next((kind for kind in kinds() if kind.means(made)), None)
    if found is None:
        raise TypeError(f"{function.__qualname__} returns {made!r}: no kind of {ARTEFACTS} means that")
    return found


@functools.cache
def kinds() -> tuple[type[Artefact], ...]:
    """Every kind of results, found by walking the folder."""
    return tuple(subclasses_in(ARTEFACTS, Artefact))


def plain(value: Any) -> Any:
    """Turn figures into JSON values; what is not finite becomes null."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return plain(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def numbered_name(target: Path, at: int) -> Path:
    """The file of picture ``at`` of several."""
    return target.with_name(fitting(target.stem, f"-{at:04}{target.suffix}"))


def _returned(function: Callable[..., Any]) -> Any:
    """The return annotation alone: a parameter's may name what is defined further down."""
    hint = function.__annotations__.get("return")
    return _evaluated(hint, function) if isinstance(hint, str) else hint


def _evaluated(hint: str, function: Callable[..., Any]) -> Any:
    """What an annotation written as text means where the function stands."""

    def shim() -> None: ...

    shim.__annotations__ = {"return": hint}
    return typing.get_type_hints(shim, globalns=function.__globals__, include_extras=True)["return"]


__all__ = ["Artefact", "Part", "artefact_of", "kinds", "numbered_name", "plain"]

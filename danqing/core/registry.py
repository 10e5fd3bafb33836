"""The folder tree is the menu: operators and model families are found by walking folders, never listed by hand.

A listing (:func:`operators`, :func:`families`) reads the files without importing them, so that ``danqing --help``
does not load torch; :func:`operator_named` and :func:`family_named` import the one file that is asked for.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from danqing.core.errors import ParameterError
from danqing.core.progress import Job, Show, finish

if TYPE_CHECKING:
    from danqing.core.images import Images
    from danqing.core.model import Model
    from danqing.core.params import Field

PACKAGE = Path(__file__).resolve().parent.parent
FLOORS = frozenset({"core", "maths", "nets", "models", "data", "train", "zoo", "faces"})
Reach = int | Callable[..., int | None]
Scale = int | Callable[..., int]
Settle = Callable[..., dict[str, Any]]


class Entry(NamedTuple):
    """One line of the menu."""

    name: str
    group: str
    summary: str
    module: str


class Finding(NamedTuple):
    """What an analysis returns: one dictionary of JSON values a picture, and a picture or plot to look at.

    ``picture`` is (B, C, H', W') or None where there is nothing to see.
    """

    numbers: list[dict[str, Any]]
    picture: Images | None = None


class Frames(NamedTuple):
    """A moving picture: frames (T, C, H, W) and their rate in frames per second."""

    pictures: Images
    rate: float = 24.0


class Encoded(NamedTuple):
    """A picture as the exact bytes of a file; an operator returns a list of them, one a picture.

    Its form has a choice ``format``, whose values are suffixes without the dot: it names the file, and a file's name
    chooses it.

    Attributes:
        data: the file, without a recipe.
        format: the choice that was made.
        numbers: JSON values about this file.
        embedded: given what Pillow's ``save`` needs to embed a recipe, the same picture in a file that holds it; itself
            where there is no room.
    """

    data: bytes
    format: str
    numbers: dict[str, Any]
    embedded: Callable[[dict[str, Any]], Encoded]


@dataclass(eq=False)
class Operator:
    """A function made an operator: calling it checks every value against the schema first.

    Attributes:
        function: what is computed; a plain function, or a generator function that yields Progress (long work).
        name: that of the function and of its file.
        group: the folder it lives in.
        reach: how many pixels away it looks, a number or a function of its parameters; None: it must see the whole
            picture. Operators with a reach are run tile by tile by the core. The function may say None, too.
        scale: how many times larger its output is than its input (for tiles), a number or a function of its parameters.
        geometry: True when it moves pixels, so that the alpha channel must go through it too.
        settle: for a local operator that must know something of the whole picture: a function of its parameters, by
            name, that returns the values to go on with. It is given one picture (1, C, H, W) at a time, before that is
            cut into tiles; the operator then works on settled values only, one picture at a time.
    """

    function: Callable[..., Any]
    name: str
    group: str
    reach: Reach | None = None
    scale: Scale = 1
    geometry: bool = False
    settle: Settle | None = None

    def __post_init__(self) -> None:
        functools.update_wrapper(self, self.function)

    @functools.cached_property
    def fields(self) -> tuple[Field, ...]:
        """Its parameters, pictures included, in order."""
        from danqing.core.params import schema

        return schema(self.function)

    @property
    def form(self) -> tuple[Field, ...]:
        """Its parameters but the pictures: what a face asks for."""
        return self.fields[1:] if self.takes_pictures else self.fields

    @property
    def takes_pictures(self) -> bool:
        """Whether it works on pictures (its first parameter); others make something from weights."""
        return bool(self.fields) and self.fields[0].kind == "pictures" and self.fields[0].required

    @property
    def summary(self) -> str:
        """Its menu text."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def job(self, *args: Any, **values: Any) -> Job[Any]:
        """Check the values, then run as a job (plain functions yield nothing).

        Raises:
            ParameterError: for a value that does not fit the schema.
        """
        from danqing.core.params import checked

        signature = inspect.signature(self.function)
        known = {name: value for name, value in values.items() if name in signature.parameters}
        ready = checked(self.fields, {**values, **signature.bind_partial(*args, **known).arguments})
        return self.run(ready) if self.settle is None else self._one_by_one(ready)

    def run(self, ready: dict[str, Any]) -> Job[Any]:
        """Run the function on values that are checked and settled."""
        if inspect.isgeneratorfunction(self.function):
            return self.function(**ready)  # type: ignore[no-any-return]
        return _plain(self.function, ready)

    def settled(self, ready: dict[str, Any], item: int) -> dict[str, Any]:
        """The checked values for one picture of the batch, settled."""
        x = ready[self.fields[0].name]
        own = {name: _own(value, len(x), item) for name, value in ready.items()}
        return own if self.settle is None else {**own, **self.settle(**_named(self.settle, own))}

    def _one_by_one(self, ready: dict[str, Any]) -> Job[Images]:
        import torch

        pieces = []
        for item in range(len(ready[self.fields[0].name])):
            pieces.append((yield from self.run(self.settled(ready, item))))
        return torch.cat(pieces)

    def __call__(self, *args: Any, show: Show | None = None, **values: Any) -> Any:
        """Check the values and compute; ``show`` receives the Progress of long work."""
        return finish(self.job(*args, **values), show)

    def reach_for(self, params: dict[str, Any]) -> int | None:
        """How far it looks with these parameters; None: at the whole picture."""
        return self.reach(**_named(self.reach, params)) if callable(self.reach) else self.reach

    def scale_for(self, params: dict[str, Any]) -> int:
        """How many times larger its output is with these parameters."""
        return self.scale(**_named(self.scale, params)) if callable(self.scale) else self.scale


def _named(function: Callable[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values that a function asks for by the names of its parameters."""
    return {name: values[name] for name in inspect.signature(function).parameters}


def _own(value: Any, count: int, item: int) -> Any:
    """What belongs to one picture of ``count``: its part of a batch of pictures or masks; anything else is for all."""
    is_batch = getattr(value, "ndim", 0) == 4 and len(value) == count
    return value[item : item + 1] if is_batch else value


def _plain(function: Callable[..., Any], values: dict[str, Any]) -> Job[Any]:
    yield from ()
    return function(**values)


@overload
def operator(function: Callable[..., Any]) -> Operator: ...


@overload
def operator(
    *, reach: Reach | None = None, scale: Scale = 1, geometry: bool = False, settle: Settle | None = None
) -> Callable[[Callable[..., Any]], Operator]: ...


def operator(
    function: Callable[..., Any] | None = None,
    *,
    reach: Reach | None = None,
    scale: Scale = 1,
    geometry: bool = False,
    settle: Settle | None = None,
) -> Operator | Callable[[Callable[..., Any]], Operator]:
    """Make a function an operator; used bare or with arguments (see :class:`Operator`).

    The function's name must be that of its file; its group is its folder.
    """

    def decorate(inner: Callable[..., Any]) -> Operator:
        group, _, stem = inner.__module__.rpartition(".")
        return Operator(inner, inner.__name__, group.rpartition(".")[2] or stem, reach, scale, geometry, settle)

    return decorate if function is None else decorate(function)


@functools.cache
def operators() -> dict[str, Entry]:
    """Every operator by name, groups in alphabetical order; nothing is imported."""
    groups = sorted(p.name for p in PACKAGE.iterdir() if _is_group(p))
    found = [entry for group in groups for entry in _entries(group, _is_operator)]
    return {entry.name: entry for entry in found}


@functools.cache
def families() -> dict[str, Entry]:
    """Every model family by name; nothing is imported."""
    return {entry.name: entry for entry in _entries("models", _is_family)}


def operator_named(name: str) -> Operator:
    """Import an operator.

    Raises:
        ParameterError: if there is none of that name.
    """
    entry = _look_up(operators(), name, "operator")
    found: Operator = getattr(importlib.import_module(entry.module), name)
    return found


def family_named(name: str) -> type[Model]:
    """Import a model family's class.

    Raises:
        ParameterError: if there is none of that name.
    """
    from danqing.core.model import Model

    module = importlib.import_module(_look_up(families(), name, "model family").module)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Model) and value.__name__.lower() == name:
            return value
    raise TypeError(f"{module.__name__} defines no Model")


def _look_up(menu: dict[str, Entry], name: str, what: str) -> Entry:
    if name not in menu:
        raise ParameterError(f"there is no {what} of this name", where=name, remedy=f"Known: {', '.join(menu)}")
    return menu[name]


def _entries(group: str, wanted: Callable[[ast.stmt, str], bool]) -> Iterator[Entry]:
    for path in sorted((PACKAGE / group).glob("*.py")):
        if path.name == "__init__.py":
            continue
        for node in ast.parse(path.read_bytes()).body:
            if wanted(node, path.stem):
                assert isinstance(node, ast.FunctionDef | ast.ClassDef)
                summary = (ast.get_docstring(node) or "").partition("\n")[0]
                yield Entry(path.stem, group, summary, f"{PACKAGE.name}.{group}.{path.stem}")
                break


def _is_group(folder: Path) -> bool:
    return folder.is_dir() and folder.name.isidentifier() and folder.name not in FLOORS and folder.name[0] != "_"


def _is_operator(node: ast.stmt, stem: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == stem and any(map(_says_operator, node.decorator_list))


def _says_operator(node: ast.expr) -> bool:
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id == "operator"


def _is_family(node: ast.stmt, stem: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name.lower() == stem

"""The folder tree is the menu: operators, families, tasks and kinds are found by walking folders, never listed by hand.

What is on the menu stands below a *root*: the folder of danqing itself, and those of packages that name themselves
under the entry points ``danqing.operators``; these are laid out as danqing is. Files are read without being imported,
so that ``danqing --help`` does not load torch.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from danqing.core.errors import ParameterError
from danqing.core.notes import note

PACKAGE = Path(__file__).resolve().parents[1]
ENTRY_POINTS = "danqing.operators"
FLOORS = frozenset({"core", "maths", "nets", "models", "data", "training", "zoo", "tasks", "faces"})
T = TypeVar("T")


class Root(NamedTuple):
    """A folder laid out as danqing is, and the package that it is."""

    folder: Path
    package: str


class Entry(NamedTuple):
    """One line of the menu.

    Attributes:
        name: what it is called by.
        group: the folder it lies in.
        summary: the first line of its docstring.
        module: that defines it.
        kind: the special kind that its decorator names, such as ``Local``; empty: none.
    """

    name: str
    group: str
    summary: str
    module: str
    kind: str = ""


@functools.cache
def roots() -> tuple[Root, ...]:
    """Danqing itself, then other packages by name."""
    found = [Root(PACKAGE, PACKAGE.name)]
    for each in sorted(entry_points(group=ENTRY_POINTS), key=lambda each: each.value):
        spec = importlib.util.find_spec(each.value)
        if spec is None or not spec.submodule_search_locations:
            note(f"the package {each.value}, which {each.name} says holds operators, is not there")
            continue
        found.append(Root(Path(next(iter(spec.submodule_search_locations))), each.value))
    return tuple(found)


@functools.cache
def operators() -> dict[str, Entry]:
    """Every operator by name, groups in alphabetical order."""
    groups = sorted({path.name for root in roots() for path in root.folder.iterdir() if _is_group(path)})
    return _first_of_each(entry for group in groups for entry in _entries(group, _is_operator))


@functools.cache
def families() -> dict[str, Entry]:
    """Every model family by name."""
    return _first_of_each(_entries("models", _is_class))


@functools.cache
def tasks() -> dict[str, Entry]:
    """Every task that is no operator, by name; those of a folder in ``tasks`` are called as ``folder name``."""
    grouped = sorted(path.name for path in (PACKAGE / "tasks").iterdir() if path.is_dir() and path.name[0] != "_")
    inner = {f"{group} {e.name}": e for group in grouped for e in _entries(f"tasks/{group}", _is_operator)}
    return {**{entry.name: entry for entry in _entries("tasks", _is_operator)}, **inner}


def look_up(menu: dict[str, Entry], name: str, what: str) -> Entry:
    """Find one entry.

    Raises:
        ParameterError: if there is none of that name.
    """
    if name not in menu:
        raise ParameterError(f"there is no {what} of this name", where=name, remedy=f"Known: {', '.join(menu)}")
    return menu[name]


def modules_in(place: str) -> Iterator[str]:
    """The modules of a folder (its path below a root) in every root, by name of the file."""
    for root in roots():
        stems = sorted(path.stem for path in (root.folder / place).glob("*.py") if path.stem != "__init__")
        yield from (".".join([root.package, *place.split("/"), stem]) for stem in stems)


def subclasses_in(place: str, base: type[T]) -> Iterator[type[T]]:
    """Import every file of a folder, and give the classes that derive from a base and are defined there."""
    for name in modules_in(place):
        for value in list(vars(importlib.import_module(name)).values()):
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == name and value is not base:
                yield value


def imported(entry: Entry) -> Any:
    """Import what an entry stands for: what has the entry's name in its module, but for capital letters."""
    found = vars(importlib.import_module(entry.module))
    return next(value for name, value in found.items() if name.lower() == entry.name)


def _entries(group: str, wanted: Callable[[ast.stmt, str], bool]) -> Iterator[Entry]:
    """The entries of a folder in every root; in a package's own tasks the group is left out."""
    for name in modules_in(group):
        root = next(root for root in roots() if name.startswith(f"{root.package}."))
        file = root.folder / group / f"{name.rpartition('.')[2]}.py"
        for node in ast.parse(file.read_bytes()).body:
            if wanted(node, file.stem):
                assert isinstance(node, ast.FunctionDef | ast.ClassDef)
                yield Entry(file.stem, group, (ast.get_docstring(node) or "").partition("\n")[0], name, _kind(node))
                break


def _first_of_each(entries: Iterable[Entry]) -> dict[str, Entry]:
    """By name; a package may add to danqing, and replaces nothing of it."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry.name, entry)
    return found


def _is_group(folder: Path) -> bool:
    return folder.is_dir() and folder.name.isidentifier() and folder.name not in FLOORS and folder.name[0] != "_"


def _is_operator(node: ast.stmt, stem: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == stem and any(map(_says_task, node.decorator_list))


def _kind(node: ast.FunctionDef | ast.ClassDef) -> str:
    """What stands as ``kind=`` in a decorator."""
    given = (each for call in node.decorator_list if isinstance(call, ast.Call) for each in call.keywords)
    return next((each.value.id for each in given if each.arg == "kind" and isinstance(each.value, ast.Name)), "")


def _says_task(node: ast.expr) -> bool:
    name = node.func if isinstance(node, ast.Call) else node
    return isinstance(name, ast.Name) and name.id in ("operator", "task")


def _is_class(node: ast.stmt, stem: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name.lower() == stem


__all__ = [
    "ENTRY_POINTS",
    "FLOORS",
    "PACKAGE",
    "Entry",
    "Root",
    "families",
    "imported",
    "look_up",
    "modules_in",
    "operators",
    "roots",
    "subclasses_in",
    "tasks",
]

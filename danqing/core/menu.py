"""The folder tree is the menu: operators and model families are found by walking folders, never listed by hand.

Files are read without being imported, so that ``danqing --help`` does not load torch.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import ParameterError

PACKAGE = Path(__file__).resolve().parents[1]


FLOORS = frozenset({"core", "maths", "nets", "models", "data", "train", "zoo", "faces"})


class Entry(NamedTuple):
    """One line of the menu."""

    name: str
    group: str
    summary: str
    module: str


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


def look_up(menu: dict[str, Entry], name: str, what: str) -> Entry:
    """Find one entry.

    Raises:
        ParameterError: if there is none of that name.
    """
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

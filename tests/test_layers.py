"""The layer table, enforced: who may import whom, and what nobody may import or call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

from danqing.core.menu import FLOORS, PACKAGE

BELOW = {
    "core": set(),
    "maths": {"core"},
    "nets": {"core", "maths"},
    "models": {"core", "maths", "nets"},
    "data": {"core", "maths"},
    "training": {"core", "maths", "nets", "data"},
    "zoo": {"core", "nets", "data", "training"},
    "tasks": {"core", "training", "data", "faces"},
    "faces": {"core", "data"},
}
ROOMS = (  # of core, from the ground up: each may import those before it, and itself
    {
        "errors",
        "finite",
        "notes",
        "uses",
        "words",
        "progress",
        "recipe",
        "disk",
        "json_text",
        "menu",
        "phrases",
        "stops",
    },
    {"pictures"},
    {"learned"},
    {"fields"},
    {"artefacts"},
    {"operators"},
    {"runs"},
)
OPERATORS = {"core", "maths", "nets", "data"}  # what every other folder, a group of operators, may import
SINGLE = {"models"}  # folders of files that stand alone, as in the groups: one family, one operator a file
FORBIDDEN = {  # whole modules
    "torchvision": "is not a dependency",
    "pickle": "runs what a file says", "marshal": "runs what a file says", "shelve": "unpickles",
    "dill": "unpickles", "cloudpickle": "unpickles", "joblib": "unpickles",
}  # fmt: skip
CALLS = {
    "torch.load": "unpickles, unless weights_only=True is written out",
    "torch.hub": "downloads code",
    "eval": "runs text",
    "exec": "runs text",
}


def test_the_layer_table_is_kept() -> None:
    assert list(violations(PACKAGE)) == []


def test_every_floor_is_in_the_table() -> None:
    assert set(BELOW) == FLOORS


def test_every_room_of_core_is_in_the_order() -> None:
    inside = {path.stem for path in (PACKAGE / "core").iterdir() if path.name[0] not in "_."}
    assert inside == set().union(*ROOMS)


def test_no_imports_go_round() -> None:
    assert circles(PACKAGE) == []


def test_a_circle_is_noticed(tmp_path: Path) -> None:
    files = {
        "core/one.py": "from danqing.core.two import f",
        "core/two.py": "def f():\n    from danqing.core.room import three",
        "core/room/three.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import danqing.core.one",
        "core/four.py": "from danqing.core.one import g",
    }
    for name, code in files.items():
        (tmp_path / "danqing" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "danqing" / name).write_text(code)
    assert circles(tmp_path / "danqing") == [["danqing.core.one", "danqing.core.room.three", "danqing.core.two"]]


@pytest.mark.parametrize(
    ("place", "code", "words"),
    [
        ("core/one.py", "from danqing.maths.two import f", "core may not import maths"),
        ("core/one.py", "def f():\n    import danqing.faces.cli", "core may not import faces"),
        ("core/disk.py", "from danqing.core.pictures.header import opened", "core.disk may not import core.pictures"),
        ("core/pictures/one.py", "from danqing.core.learned import model", "pictures may not import core.learned"),
        (
            "core/fields/one.py",
            "def f():\n    from danqing.core.runs.run import run",
            "fields may not import core.runs",
        ),
        ("maths/one.py", "from danqing.nets import blocks", "maths may not import nets"),
        ("maths/one.py", "from ..models import vae", "maths may not import models"),
        ("models/one.py", "from danqing.models.vae import Vae", "its sibling"),
        ("models/one.py", "from .vae import Vae", "its sibling"),
        ("models/one.py", "from danqing.data.store import Store", "models may not import data"),
        ("edit/one.py", "from danqing.edit.crop import crop", "its sibling"),
        ("edit/one.py", "from danqing.restore.median import median", "edit may not import restore"),
        ("edit/one.py", "from danqing import median", "edit may not import median"),
        (
            "training/one.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import danqing.models.vae",
            "models",
        ),
        ("faces/one.py", "import importlib\nimportlib.import_module('danqing.edit.crop')", "faces may not import edit"),
        ("faces/one.py", "from danqing.nets.unet import Unet", "faces may not import nets"),
        ("zoo/one.py", "from danqing.models.vae import Vae", "zoo may not import models"),
        ("data/one.py", "import torchvision.transforms", "torchvision is not a dependency"),
        ("data/one.py", "from pickle import loads", "pickle runs what a file says"),
        ("core/one.py", "import torch as t\nt.load('file')", "torch.load unpickles"),
        ("core/one.py", "from torch import load as read\nread('file')", "torch.load unpickles"),
        ("core/one.py", "import torch\ntorch.load('file', weights_only=False)", "torch.load unpickles"),
        ("core/one.py", "import torch\ntorch.hub.load('a', 'b')", "torch.hub downloads code"),
        ("core/one.py", "import numpy as np\nnp.load('file', allow_pickle=True)", "allow_pickle unpickles"),
        ("core/one.py", "eval('1')", "eval runs text"),
    ],
)
def test_a_violation_is_noticed(place: str, code: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "danqing" / place
    file.parent.mkdir(parents=True)
    file.write_text(code)
    assert any(words in found for found in violations(tmp_path / "danqing"))


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("core/one.py", "from danqing import __version__\nfrom danqing.core.two import f"),
        ("data/one.py", "from danqing.data.store import Store"),
        ("edit/one.py", "import torch\nfrom danqing.maths.colour import pixel\ntorch.clamp"),
        ("nets/one.py", "import torch\ntorch.load('file', weights_only=True)"),
        ("__init__.py", "from danqing.core.learned.weights import load\nmodel.eval()"),
    ],
)
def test_what_is_allowed_is_not_noticed(place: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "danqing" / place
    file.parent.mkdir(parents=True)
    file.write_text(code)
    assert list(violations(tmp_path / "danqing")) == []


def violations(package: Path) -> Iterator[str]:
    """Every breach of the table in a package folder named danqing, as ``file:line: what``."""
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        tree = ast.parse(file.read_bytes())
        for line, module in _imports(tree, ("danqing", *parts)):
            for what in (*_upward(parts, module), *_forbidden(module)):
                yield f"{'/'.join(parts)}.py:{line}: {what}"
        for line, what in _calls(tree):
            yield f"{'/'.join(parts)}.py:{line}: {what}"


def _imports(tree: ast.Module, home: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Every module (or name of a module) that is imported, absolute, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*home[: -node.level]] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            for word in node.args:
                if isinstance(word, ast.Constant) and isinstance(word.value, str):
                    yield node.lineno, word.value


def _upward(parts: tuple[str, ...], module: str) -> Iterator[str]:
    names = module.split(".")
    if len(parts) == 1 or names[0] != "danqing" or len(names) == 1 or names[1] == "__version__":
        return  # the package's own __init__ and __main__ only point to the floors
    floor, other = parts[0], names[1]
    if floor == other == "core" and len(names) > 2 and _room(names[2]) > _room(parts[1]):
        yield f"core.{parts[1]} may not import core.{names[2]}"
    alone = floor in SINGLE or floor not in BELOW
    if other != floor and other not in BELOW.get(floor, OPERATORS):
        yield f"{floor} may not import {other}"
    if other == floor and alone and names[2:3] != [parts[1]]:
        yield f"{floor}/{parts[1]} may not import its sibling {'.'.join(names[2:])}"


def _room(name: str) -> int:
    """How high up in core a room or a file of the ground lies; what is not there lies on the ground."""
    return next((at for at, rooms in enumerate(ROOMS) if name in rooms), 0)


def circles(package: Path) -> list[list[str]]:
    """Groups of modules that import each other round in a circle, wherever in the file."""
    files = {".".join(["danqing", *f.relative_to(package).with_suffix("").parts]): f for f in package.rglob("*.py")}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name, file in files.items():
        for _, module in _imports(ast.parse(file.read_bytes()), tuple(name.split("."))):
            found = module if module in files else module.rpartition(".")[0]
            if found in files and found != name:
                graph.add_edge(name, found)
    return sorted(sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1)


def _forbidden(module: str) -> Iterator[str]:
    root = module.partition(".")[0]
    if root in FORBIDDEN:
        yield f"{root} {FORBIDDEN[root]}"


def _calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that run or unpickle what a file says, under whatever name they were imported."""
    meaning: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            meaning |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            meaning |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        first, _, rest = ast.unparse(node.func).partition(".")
        called = ".".join(filter(None, (meaning.get(first, first), rest)))
        for name, reason in CALLS.items():
            if (called == name or called.startswith(f"{name}.")) and not _only_tensors(node):
                yield node.lineno, f"{name} {reason}"
        if any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords):
            yield node.lineno, "allow_pickle unpickles"


def _only_tensors(call: ast.Call) -> bool:
    """Whether a call of ``torch.load`` is held to plain tensors; foreign weights exist in no other format."""
    return any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords)

"""What the package offers: every name is there, has a type, and stands in no module's way."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import danqing
from danqing.core.menu import PACKAGE, operators

ROOT = Path(__file__).parents[1]
MODULES = sorted(each.name for each in pkgutil.walk_packages([str(PACKAGE)], "danqing.") if "__main__" not in each.name)


def test_all_names_are_there() -> None:
    assert danqing.__all__ == sorted(danqing.__all__)
    assert set(danqing.__all__) == {*danqing.HOMES, *operators()}
    for name in danqing.__all__:
        assert callable(getattr(danqing, name)), name
    assert set(danqing.__all__) <= set(dir(danqing))


def test_no_name_is_that_of_a_folder() -> None:
    """Else importing a file of that folder would put the folder in the name's place."""
    assert not {path.name for path in PACKAGE.iterdir() if path.is_dir()} & set(danqing.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported_under_another_name(name: str) -> None:
    found: dict[str, object] = {}
    exec(f"import {name} as found", found)
    assert found["found"] is importlib.import_module(name)


def test_names_stay_what_they_are_whatever_is_imported() -> None:
    for name in MODULES:
        importlib.import_module(name)
    assert danqing.generate is danqing.__getattr__("generate")
    assert danqing.train.__name__ == "train"


def test_the_stub_is_up_to_date() -> None:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from make_types import STUB, stub
    finally:
        sys.path.pop(0)
    assert STUB.read_text("utf-8") == stub(), "run `make docs`"


def test_a_strict_type_checker_knows_the_types() -> None:
    command = [sys.executable, "-m", "mypy", "tests/typed/downstream.py"]  # strict, as the project says
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

"""danqing (丹青): make and mend pictures with neural networks, on the computer people have."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from danqing.core.learned.weights import load as load
    from danqing.core.learned.weights import save as save

_HOMES = {
    "load": "danqing.core.learned.weights",
    "save": "danqing.core.learned.weights",
    "finish": "danqing.core.progress",
    "run": "danqing.core.runs.run",
    "Folders": "danqing.core.runs.folders",
    "read": "danqing.core.pictures.reading",
    "replay": "danqing.core.runs.replay",
    "show": "danqing.core.runs.replay",
    "write": "danqing.core.pictures.writing",
    "train": "danqing.train.api",
}


def __getattr__(name: str) -> Any:
    """Find operators and the few functions of the core by name, importing torch only then."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    from danqing.core.menu import operators
    from danqing.core.operators.operator import operator_named

    if name in operators():
        return operator_named(name)
    raise AttributeError(f"module 'danqing' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, operators included."""
    from danqing.core.menu import operators

    return sorted([*globals(), *_HOMES, *operators()])


class _Studio(ModuleType):
    """The package as people see it: an operator goes before the folder of its own name (``generate/generate.py``)."""

    def __setattr__(self, name: str, value: Any) -> None:
        shadowed = name in _HOMES or (Path(__file__).parent / name / f"{name}.py").exists()
        if not (shadowed and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Studio

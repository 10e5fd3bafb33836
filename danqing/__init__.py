"""danqing (丹青): make and mend pictures with neural networks, on the computer you have.

Every operator is a function here (``danqing.median``), found by name when it is asked for; so are the few functions
below. ``__init__.pyi`` says their types and is written from the folders by ``make docs``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

HOMES = {
    "Folders": "danqing.core.runs.folders",
    "finish": "danqing.core.progress",
    "load": "danqing.core.learned.weights",
    "read": "danqing.core.pictures.reading",
    "replay": "danqing.core.runs.replay",
    "run": "danqing.core.runs.run",
    "save": "danqing.core.learned.weights",
    "show": "danqing.core.runs.replay",
    "train": "danqing.training.api",
    "write": "danqing.core.pictures.writing",
}


def __getattr__(name: str) -> Any:
    """Find operators and the few functions of the core by name, importing torch only then."""
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    if name == "__all__":
        return sorted([*HOMES, *_operators()])
    if name in _operators():
        from danqing.core.operators.operator import operator_named

        return operator_named(name)
    raise AttributeError(f"module 'danqing' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, operators included."""
    return sorted({*globals(), *HOMES, *_operators()})


def _operators() -> list[str]:
    from danqing.core.menu import operators

    return list(operators())

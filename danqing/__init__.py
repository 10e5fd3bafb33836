"""danqing (丹青): make and mend pictures with neural networks, on the computer people have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from danqing.core.files import load as load
    from danqing.core.files import save as save

_HOMES = {
    "load": "danqing.core.files",
    "save": "danqing.core.files",
    "read": "danqing.core.images",
    "write": "danqing.core.images",
    "train": "danqing.train.loop",
}


def __getattr__(name: str) -> Any:
    """Find operators and the few functions of the core by name, importing torch only then."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    from danqing.core.registry import operator_named, operators

    if name in operators():
        return operator_named(name)
    raise AttributeError(f"module 'danqing' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, operators included."""
    from danqing.core.registry import operators

    return sorted([*globals(), *_HOMES, *operators()])

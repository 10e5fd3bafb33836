"""Model families by name."""

from __future__ import annotations

import importlib

from danqing.core.learned.model import Model
from danqing.core.menu import families, look_up


def family_named(name: str) -> type[Model]:
    """Import a model family's class.

    Raises:
        ParameterError: if there is none of that name.
    """
    module = importlib.import_module(look_up(families(), name, "model family").module)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Model) and value.__name__.lower() == name:
            return value
    raise TypeError(f"{module.__name__} defines no Model")

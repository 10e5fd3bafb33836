"""A model keeps what it was built with: its config."""

from __future__ import annotations

import functools
import inspect
from typing import Any


def remembering(init: Any) -> Any:
    """Wrap a model's ``__init__`` so that the outermost call records its arguments in ``self.config``."""

    @functools.wraps(init)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        if "config" not in self.__dict__:
            bound = inspect.signature(init).bind(self, *args, **kwargs)
            bound.apply_defaults()
            object.__setattr__(self, "config", {k: v for k, v in bound.arguments.items() if k != "self"})
            object.__setattr__(self, "card", {})
        init(self, *args, **kwargs)

    return wrapper


__all__ = ["remembering"]

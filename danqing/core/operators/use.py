"""How an operator calls another operator, or a net that comes with danqing: by name, and it is in the recipe."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from danqing.core.learned.cache import cached
from danqing.core.learned.model import Model
from danqing.core.operators.operator import Operator, operator_named
from danqing.core.uses import used

M = TypeVar("M", bound=Model)


@overload
def use(name: str) -> Operator[..., Any]: ...


@overload
def use(name: str, kind: type[M], task: str = "") -> M: ...


def use(name: str, kind: type[Model] | None = None, task: str = "") -> Operator[..., Any] | Model:
    """Find an operator by name, or weights if their ``kind`` is given; loaded once a process, noted in the recipe.

    An operator's ``job`` passes its progress on (``yield from``), in tiles too, and can be stopped there.

    Raises:
        ParameterError: if there is no such operator.
        ModelFileError: if there are no such weights, or they are of another kind or for another task.
    """
    if kind is not None:
        return cached(name, kind=kind, task=task)
    operator = operator_named(name)
    used(name, version=str(operator.version))
    return operator


__all__ = ["use"]

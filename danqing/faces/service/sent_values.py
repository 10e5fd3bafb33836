"""What a client asks for, read by the kinds of a task's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from danqing.core.errors import ParameterError
from danqing.core.fields.form import Field
from danqing.core.fields.number import NumberKind
from danqing.core.fields.path import PathKind
from danqing.core.learned.card import bundled
from danqing.data.sources import BUILT_IN
from danqing.faces.service.catalogue import AnyTask, form_of


def read_values(task: AnyTask, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a client gave by the kinds of the fields; files stay the hashes that stand for them.

    Raises:
        ParameterError: for a value that is missing, unknown or does not fit.
    """
    fields = {each.name: each for each in form_of(task)}
    values = {name: value for name, value in given.items() if value is not None}
    for name in sorted(values.keys() - fields.keys()):
        raise ParameterError("no such parameter", where=name[:100], remedy=f"Known: {', '.join(fields)}")
    for name, field in fields.items():
        if field.required and name not in values:
            raise ParameterError(f"is required: {field.kind.expected()}", where=name)
    return {name: _read(fields[name], value, name == task.subject) for name, value in values.items()}


def resolved(task: AnyTask, values: Mapping[str, Any], find: Callable[[str], Path]) -> dict[str, Any]:
    """The values of a task that is no operator, with files in place of the hashes.

    Raises:
        ParameterError: naming the field of which nothing is there.
    """
    ready = dict(values)
    for field in form_of(task):
        given: Any = ready.get(field.name)
        if field.name in ready and field.kind.may_open(given) and given not in (field.default, *_own_names()):
            try:
                file = find(given)
            except ParameterError as error:
                raise ParameterError(error.what, where=field.name, remedy=error.remedy) from None
            ready[field.name] = file if isinstance(field.kind, PathKind) else str(file)
    return ready


def _read(field: Field, value: Any, may_be_several: bool) -> Any:
    kind = field.kind
    if kind.opens:
        several = isinstance(value, list) and may_be_several
        for each in value if several else [value]:
            if not isinstance(each, str):
                raise kind.refuse(each, field.name, "Give the id of what was sent")
        return value
    if isinstance(value, str):
        value = field.parse(value)
    elif isinstance(value, float) and isinstance(kind, NumberKind) and kind.whole and value.is_integer():
        value = int(value)
    elif isinstance(value, list):
        value = [tuple(each) if isinstance(each, list) else each for each in value]
    checked = value if kind.reads else field.check(value)
    return kind.plain(checked) if not kind.reads else checked


def _own_names() -> set[str]:
    return {*BUILT_IN, *bundled()}


__all__ = ["read_values", "resolved"]

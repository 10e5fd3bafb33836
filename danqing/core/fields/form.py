"""The signature is the form: the fields drawn from a function's parameters, each of a kind from ``fields/``."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from danqing.core.errors import ParameterError, of_disk
from danqing.core.fields.kind import Kind
from danqing.core.menu import subclasses_in
from danqing.core.words import words_of

REQUIRED = inspect.Parameter.empty
FIELDS = "core/fields"


@dataclass(frozen=True)
class Field:
    """One parameter of a task or of a model family, as every face sees it."""

    name: str
    kind: Kind
    default: Any
    optional: bool
    words: str

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.default is REQUIRED

    @property
    def spelt_default(self) -> str:
        """The default as a person types it; empty where there is nothing to tell."""
        return "" if self.required or self.default in (None, "") else self.kind.spelt(self.default)

    def parse(self, text: str) -> Any:
        """Read the value that a person typed, as far as that goes without looking at files.

        Raises:
            ParameterError: if it cannot be read.
        """
        self.check_said(text)
        try:
            return self.kind.parse(text)
        except ValueError:
            raise self.kind.refuse(text, self.name) from None

    def check(self, value: Any) -> Any:
        """Return the value as a function receives it.

        Raises:
            ParameterError: if it does not fit.
        """
        if value is None and self.optional:
            return None
        self.check_said(value)
        try:
            return self.kind.check(value, self.name)
        except OSError as error:
            raise of_disk(error) or error from error

    def check_said(self, value: Any) -> None:
        """Refuse an empty name of a place: it would mean the folder at hand, which nobody means by it.

        Raises:
            ParameterError: if it is one.
        """
        if self.kind.opens:
            refuse_empty(self.name, value)

    def json_schema(self) -> dict[str, Any]:
        """The field as JSON Schema; ``x-kind`` and ``x-widget`` say more to a page."""
        facts = {"description": self.words, "x-kind": self.kind.name, "x-widget": self.kind.widget}
        out = {**self.kind.json_schema(), **facts}
        if not self.required and self.default is not None:  # what is optional is left out, not given as null
            plain = self.default if isinstance(self.default, bool | int | float) else self.kind.spelt(self.default)
            out["default"] = plain
        return out


def refuse_empty(name: str, place: Any) -> None:
    """Refuse an empty name of a place.

    Raises:
        ParameterError: if it is one.
    """
    if isinstance(place, str) and not place:
        raise ParameterError("is empty", where=name, remedy="Name a file or a folder; perhaps a variable is not set")


def schema(function: Callable[..., Any], document: Any = None, without: Collection[str] = ()) -> tuple[Field, ...]:
    """Draw the fields from a signature and the Args of its docstring (or of that of the ``document`` given).

    Parameters ``without`` a field are passed over.

    Raises:
        TypeError: if a parameter's annotation is of no kind (a mistake of its author).
    """
    hints = typing.get_type_hints(function, include_extras=True)
    words = words_of(function if document is None else document).arguments
    return tuple(
        field_of(name, hints.get(name), parameter.default, words.get(name, ""))
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self" and name not in without
    )


def field_of(name: str, hint: Any, default: Any = REQUIRED, words: str = "") -> Field:
    """The field that an annotation means.

    Raises:
        TypeError: if it is of no kind.
    """
    optional, hint, marks = _taken_apart(hint)
    kind = next((mark for mark in marks if isinstance(mark, Kind)), None)
    kind = kind or next(filter(None, (each.of(hint, marks) for each in kinds())), None)
    if kind is None:
        raise TypeError(f"parameter {name}: {hint!r} is of no kind that {FIELDS} has")
    return Field(name, kind, default, optional, words)


@functools.cache
def kinds() -> tuple[type[Kind], ...]:
    """Every kind of fields, found by walking its folder."""
    return tuple(subclasses_in(FIELDS, Kind))


def checked(fields: Iterable[Field], values: dict[str, Any]) -> dict[str, Any]:
    """Fill in defaults and check every value; the result calls the function.

    Raises:
        ParameterError: for a value that is missing, unknown or does not fit.
    """
    known = {field.name: field for field in fields}
    for name in sorted(values.keys() - known.keys()):
        raise ParameterError("no such parameter", where=name, remedy=f"Known: {', '.join(known)}")
    for name, field in known.items():
        if field.required and name not in values:
            raise ParameterError(f"is required: {field.kind.expected()}", where=name)
    return {name: field.check(values.get(name, field.default)) for name, field in known.items()}


def _taken_apart(hint: Any) -> tuple[bool, Any, tuple[Any, ...]]:
    """Whether None is allowed, the bare annotation, and the marks beside it; what is said last comes first."""
    optional, marks = False, ()
    while True:
        parts = get_args(hint)
        if get_origin(hint) is Annotated:
            hint, marks = parts[0], (*marks, *parts[:0:-1])
        elif get_origin(hint) in (Union, types.UnionType) and len(rest := _without_none(parts)) == 1:
            optional, hint = True, rest[0]
        else:
            return optional, hint, marks


def _without_none(parts: tuple[Any, ...]) -> list[Any]:
    return [part for part in parts if part is not types.NoneType]


__all__ = ["REQUIRED", "Field", "checked", "field_of", "kinds", "schema"]

"""The signature is the form: the field types of an operator's parameters, and the schema drawn from a signature."""

from __future__ import annotations

import inspect
import math
import numbers
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Model
from danqing.core.pictures.contract import Images, Mask, Tag, check_images, check_mask

REQUIRED = inspect.Parameter.empty
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Range:
    """The inclusive range of a number, with its unit."""

    low: float
    high: float = math.inf
    unit: str = ""

    def __str__(self) -> str:
        high = "" if math.isinf(self.high) else f"{self.high:g}"
        return f"{self.low:g}…{high}{' ' + self.unit if self.unit else ''}"


@dataclass(frozen=True)
class WeightsOf:
    """Weights given as a file, as the name of bundled weights or as a Model; ``kind`` limits what is accepted.

    ``kind`` is the name of a base class of :mod:`danqing.core.learned.model` (``Painter``, ``Recogniser`` …) or of a
    family, and may say its task after a slash (``restorer/denoise``).
    """

    kind: str = "Model"


Seed = Annotated[int, Range(0, 2**63 - 1)]
Colour = Annotated[tuple[float, float, float], Tag("colour")]  # RGB in [0, 1]; faces write it "#rrggbb"
Source = Annotated[str, Tag("source")]  # a set of pictures: folder, zip, shards, or the name of a built-in set
Weights = Annotated[Model, WeightsOf()]  # an operator receives the loaded Model


@dataclass(frozen=True)
class Field:
    """One parameter of an operator or of a model family, as every face sees it.

    ``kind`` is one of int, float, bool, text, choice, colour, source, path, weights, pictures, mask.
    """

    name: str
    kind: str
    default: Any
    optional: bool
    range: Range | None
    choices: tuple[Any, ...]
    weights: str
    words: str

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.default is REQUIRED

    def parse(self, text: str) -> Any:
        """Read the value a person typed; files and weights stay text until :meth:`check`."""
        if self.kind == "choice":
            return {str(choice): choice for choice in self.choices}.get(text, text)
        try:
            return _PARSERS.get(self.kind, str)(text)
        except ValueError:
            raise self._refuse(text) from None

    def check(self, value: Any) -> Any:
        """Return the value as the operator receives it.

        Raises:
            ParameterError: if it has the wrong type or is out of range.
        """
        if value is None and self.optional:
            return None
        checker = _CHECKERS.get(self.kind)
        if checker is not None:
            return checker(self, value)
        if self.kind == "choice" and value in self.choices:
            return value
        raise self._refuse(value)

    def json_schema(self) -> dict[str, Any]:
        """The field as JSON Schema."""
        out: dict[str, Any] = {"description": self.words, **_JSON_TYPES.get(self.kind, {"type": "string"})}
        if self.range is not None:
            if not math.isinf(self.range.low):
                out["minimum"] = self.range.low
            if not math.isinf(self.range.high):
                out["maximum"] = self.range.high
            if self.range.unit:
                out["x-unit"] = self.range.unit
        if self.choices:
            out["enum"] = list(self.choices)
        if not self.required and self.default is not None:  # what is optional is left out, not given as null
            out["default"] = _plain_default(self.default)
        return out

    @property
    def expected(self) -> str:
        """What a valid value looks like, in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        what = {"int": "a whole number", "float": "a number", "bool": "yes or no", "colour": "a colour such as #ff8800"}
        return what.get(self.kind, f"a {self.kind}") + (f" in {self.range}" if self.range else "")

    def _refuse(self, value: Any) -> ParameterError:
        shown = value if isinstance(value, str | int | float | bool | None) else type(value).__name__
        return ParameterError(f"{shown!r} is not {self.expected}", where=self.name)


def schema(function: Callable[..., Any], document: str | None = None) -> tuple[Field, ...]:
    """Draw the fields from a signature and the Args of its docstring (or of the ``document`` given).

    Raises:
        TypeError: if a parameter's annotation is not in the table of field types (a mistake of its author).
    """
    hints = typing.get_type_hints(function, include_extras=True)
    words = arguments_in(document if document is not None else inspect.getdoc(function) or "")
    skip = {"self", "return"}
    return tuple(
        _field(name, hints.get(name), parameter.default, words.get(name, ""))
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in skip
    )


def arguments_in(doc: str) -> dict[str, str]:
    """Read the Args section of a docstring: parameter name to its words."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", doc, re.M | re.S)
    if not section:
        return {}
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section.group(1), re.M | re.S)
    return {name: " ".join(text.split()) for name, text in entries}


def checked(fields: tuple[Field, ...], values: dict[str, Any]) -> dict[str, Any]:
    """Fill in defaults and check every value; the result calls the function.

    Raises:
        ParameterError: for a missing, unknown, mistyped or out-of-range value.
    """
    known = {field.name: field for field in fields}
    for name in sorted(values.keys() - known.keys()):
        raise ParameterError("no such parameter", where=name, remedy=f"Known: {', '.join(known)}")
    out: dict[str, Any] = {}
    for name, field in known.items():
        value = values.get(name, field.default)
        if value is REQUIRED:
            raise ParameterError(f"is required: {field.expected}", where=name)
        out[name] = field.check(value)
    return out


def _field(name: str, hint: Any, default: Any, words: str) -> Field:
    optional, hint = _without_none(hint)
    marks: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        marks = tuple(rest)
        inner_optional, hint = _without_none(hint)
        optional |= inner_optional
        if get_origin(hint) is Annotated:
            hint, *rest = get_args(hint)
            marks += tuple(rest)
    marks = marks[::-1]  # Annotated[Seed, Range(0, 9)]: what is said last holds
    limit = next((mark for mark in marks if isinstance(mark, Range)), None)
    weights = next((mark.kind for mark in marks if isinstance(mark, WeightsOf)), "")
    tag = next((mark.kind for mark in marks if isinstance(mark, Tag)), "")
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    kind = "weights" if weights else tag or ("choice" if choices else _KINDS.get(hint, ""))
    if not kind:
        raise TypeError(f"parameter {name}: {hint!r} is not a field type")
    return Field(name, kind, default, optional, limit, choices, weights, words)


def _without_none(hint: Any) -> tuple[bool, Any]:
    if get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in get_args(hint) if part is not type(None)]
        if len(rest) == 1:
            return True, rest[0]
    return False, hint


def _check_number(field: Field, value: Any) -> int | float:
    whole = field.kind == "int"
    wanted: Any = numbers.Integral if whole else numbers.Real
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise field._refuse(value)
    try:
        number: int | float = int(value) if whole else float(value)  # NumPy's numbers become Python's
    except OverflowError:
        raise field._refuse(value) from None
    if isinstance(number, float) and not math.isfinite(number):
        raise field._refuse(value)
    if field.range and not field.range.low <= number <= field.range.high:
        raise field._refuse(value)
    return number


def _check_colour(field: Field, value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        return _parse_colour(value) if re.fullmatch("#?[0-9a-fA-F]{6}", value) else _fail(field, value)
    if isinstance(value, tuple | list) and len(value) == 3 and all(map(_is_share, value)):
        return tuple(float(part) for part in value)
    raise field._refuse(value)


def _is_share(value: Any) -> bool:
    return isinstance(value, numbers.Real) and 0 <= float(value) <= 1


def _plain_default(value: Any) -> Any:
    if isinstance(value, tuple):
        return "#" + "".join(f"{round(part * 255):02x}" for part in value)
    return str(value) if isinstance(value, Path) else value


def _fail(field: Field, value: Any) -> Any:
    raise field._refuse(value)


def _check_weights(field: Field, value: Any) -> Model:
    from danqing.core.learned.weights import load  # files knows the registry, which knows params

    return load(value, kind=field.weights) if isinstance(value, str | Path | Model) else _fail(field, value)


def _instance(*kinds: type) -> Callable[[Field, Any], Any]:
    return lambda field, value: value if isinstance(value, kinds) else _fail(field, value)


def _parse_bool(text: str) -> bool:
    if text.lower() in TRUE or text.lower() in FALSE:
        return text.lower() in TRUE
    raise ValueError(text)


def _parse_colour(text: str) -> tuple[float, ...]:
    digits = text.removeprefix("#")
    if not re.fullmatch("[0-9a-fA-F]{6}", digits):
        raise ValueError(text)
    return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))


_KINDS: dict[Any, str] = {bool: "bool", int: "int", float: "float", str: "text", Path: "path"}
_PARSERS: dict[str, Callable[[str], Any]] = {
    "int": int, "float": float, "bool": _parse_bool, "colour": _parse_colour, "path": Path,
}  # fmt: skip
_CHECKERS: dict[str, Callable[[Field, Any], Any]] = {
    "int": _check_number,
    "float": _check_number,
    "bool": _instance(bool),
    "text": _instance(str),
    "source": _instance(str),
    "path": lambda field, value: Path(value) if isinstance(value, str | Path) else _fail(field, value),
    "colour": _check_colour,
    "weights": _check_weights,
    "pictures": lambda field, value: check_images(value, field.name),
    "mask": lambda field, value: check_mask(value, field.name),
}
_JSON_TYPES: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "choice": {},
    "colour": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"},
}

__all__ = ["Colour", "Field", "Images", "Mask", "Range", "Seed", "Source", "Weights", "WeightsOf", "checked", "schema"]

"""How a picture was made: the steps written inside every picture, so that it can be made again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from danqing import __version__
from danqing.core.errors import ParameterError

FORMAT = 1  # of the JSON; a reader refuses a newer one


@dataclass(frozen=True)
class Step:
    """One operator at work.

    Attributes:
        operator: its name.
        params: its parameters as JSON values, defaults included, pictures and weights left out.
        inputs: the files it read, each ``{"as": parameter, "path": …, "sha256": …}``, paths seen from the picture's
            folder; empty when it worked on the step before's result.
        weights: for each parameter that took weights, ``{"name": …, "sha256": …}``.
        take: which picture of a result with several this is; ``"grid"``: all of them on one sheet; None: the only one.
        saved: how the result went into the file, where it was not by default: depth, quality, columns of the sheet.
        version: of the operator.
        uses: what it made use of beside its parameters: operators with their ``version``, nets with their ``sha256``.
    """

    operator: str
    params: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, str]] = field(default_factory=list)
    weights: dict[str, dict[str, str]] = field(default_factory=dict)
    take: int | Literal["grid"] | None = None
    saved: dict[str, int] = field(default_factory=dict)
    version: int = 1
    uses: dict[str, dict[str, str]] = field(default_factory=dict)


Recipe = list[Step]


def to_json(recipe: Recipe) -> str:
    """Write a recipe as JSON text of one line; equal recipes give equal text.

    Raises:
        ParameterError: if a parameter is no JSON value (a path is written as text).
    """
    content = {"danqing": __version__, "format": FORMAT, "steps": [asdict(step) for step in recipe]}
    try:
        return json.dumps(content, sort_keys=True, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"cannot be written as JSON ({error})", where="recipe") from error


def from_json(text: str, where: object = "recipe") -> Recipe:
    """Read a recipe from the text that :func:`to_json` wrote.

    Args:
        text: the JSON text.
        where: the file it came from, for messages.

    Raises:
        ParameterError: if it is no recipe, or of a danqing newer than this one.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"holds a damaged recipe ({error})", where=where) from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int) or "steps" not in content:
        raise ParameterError("holds no danqing recipe", where=where)
    if content["format"] > FORMAT:
        raise ParameterError(
            f"holds a recipe of danqing {content.get('danqing')}, in format {content['format']}; "
            f"this one reads up to {FORMAT}",
            where=where,
            remedy="Update danqing",
        )
    if not isinstance(content["steps"], list):
        raise ParameterError("holds a recipe without steps", where=where)
    return [_step(number, item, where) for number, item in enumerate(content["steps"], 1)]


def _step(number: int, item: Any, where: object) -> Step:
    problem = _problem(item)
    if problem:
        raise ParameterError(f"step {number} of its recipe {problem}", where=where)
    return Step(**item)


def _problem(item: Any) -> str:
    if not isinstance(item, dict) or not isinstance(item.get("operator"), str):
        return "names no operator"
    unknown = sorted(item.keys() - {each.name for each in fields(Step)})
    if unknown:
        return f"has unknown entries: {', '.join(unknown)}"
    shapes = {
        "params": _is_mapping,
        "inputs": _are_inputs,
        "weights": _are_weights,
        "take": _is_take,
        "saved": _is_mapping,
        "version": _is_version,
        "uses": _are_weights,
    }
    wrong = [name for name, fits in shapes.items() if name in item and not fits(item[name])]
    return f"has malformed {' and '.join(wrong)}" if wrong else ""


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _are_inputs(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_named_file, value))


def _are_weights(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_named_file, value.values()))


def _is_named_file(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(part, str) for part in value.values())


def _is_version(value: Any) -> bool:
    return type(value) is int and value >= 1


def _is_take(value: Any) -> bool:
    return value is None or value == "grid" or (type(value) is int and value >= 0)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


__all__ = ["Recipe", "Step", "from_json", "to_json"]

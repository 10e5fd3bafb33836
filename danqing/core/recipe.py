"""How a picture was made: the steps written inside every picture, so that it can be made again."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from danqing import __version__
from danqing.core.errors import ParameterError

FORMAT = 1  # of the JSON; a reader refuses a newer one
LONGEST_NAME, LONGEST_PATH = 255, 4096  # what file systems hold: bytes of one name, characters of a whole path
HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
PICTURE = re.compile(r"[a-z][a-z_-]{0,63}")  # the name of one that goes beside


@dataclass(frozen=True)
class Step:
    """One operator at work.

    Attributes:
        operator: its name.
        version: which of the operator's ways of working it was; older recipes do not say and mean the first.
        params: its parameters as JSON values, defaults included, pictures and weights left out.
        inputs: the files it read, each ``{"as": parameter, "path": …, "sha256": …}``, paths seen from the picture's
            folder; empty when it worked on the step before's result.
        weights: for each parameter that took weights, ``{"name": …, "sha256": …}``.
        take: which picture of a result with several this is; ``"grid"``: all of them on one sheet; another word: the
            picture of that name, which goes beside; None: the only one.
        saved: how the result went into the file, where it was not by default: depth, quality, columns of the sheet.
        uses: what it made use of beside its parameters: operators with their ``version``, nets with their ``sha256``.
    """

    operator: str
    params: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, str]] = field(default_factory=list)
    weights: dict[str, dict[str, str]] = field(default_factory=dict)
    take: int | str | None = None
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
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"holds a damaged recipe ({error})", where=where) from error
    if not isinstance(content, dict) or type(content.get("format")) is not int or "steps" not in content:
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


def is_address(text: str) -> bool:
    """Whether this names something on a network (``scheme://…``, a share behind two slashes), not a file."""
    return "://" in text or re.match(r"[\\/]{2}", text) is not None


def _step(number: int, item: Any, where: object) -> Step:
    if not isinstance(item, dict) or not _is_text(item.get("operator"), LONGEST_NAME):
        raise ParameterError(f"step {number} of its recipe names no operator", where=where)
    unknown = sorted(item.keys() - {each.name for each in fields(Step)})
    if unknown:
        raise ParameterError(f"step {number} of its recipe has unknown entries: {', '.join(unknown)}", where=where)
    for name, check in CHECKS.items():
        problem = check(item[name]) if name in item else ""
        if problem:
            raise ParameterError(f"step {number} of its recipe has malformed {name}: {problem}", where=where)
    return Step(**item)


def _wrong_version(value: Any) -> str:
    return "" if type(value) is int and value >= 1 else "it is a whole number from 1 on"


def _wrong_params(value: Any) -> str:
    return "" if isinstance(value, dict) else "they are values by name"


def _wrong_inputs(value: Any) -> str:
    if not isinstance(value, list):
        return "they are a list of files"
    return next(filter(None, (_wrong_file(each, "path", {"as"}, may_be_unhashed=False) for each in value)), "")


def _wrong_weights(value: Any) -> str:
    if not isinstance(value, dict):
        return "they are files by name"
    return next(filter(None, (_wrong_file(each, "name", set(), may_be_unhashed=True) for each in value.values())), "")


def _wrong_file(value: Any, place: str, more: set[str], *, may_be_unhashed: bool) -> str:
    """What is wrong with a file of a recipe, told by its entries ``place``, ``sha256`` and ``more``."""
    required = {place, "sha256"} | more
    if not isinstance(value, dict) or not required <= value.keys() <= required | {"name", "path", "version"}:
        return f"a file is told by {', '.join(sorted(required))}"
    if not all(_is_text(value[key], LONGEST_PATH, 0) for key in value):
        return f"each entry is text of at most {LONGEST_PATH} characters"
    if not (HASH.fullmatch(value["sha256"]) or (may_be_unhashed and value["sha256"] == "")):
        return "sha256 has 64 hexadecimal digits"
    return next(filter(None, (_wrong_path(value[key]) for key in (place, "path") if key in value)), "")


def _wrong_path(path: str) -> str:
    if is_address(path):
        return "an address on a network is no file"
    try:
        names = os.fsencode(path).split(b"/")
    except ValueError:  # half a character
        return "this is no path"
    if not path or "\0" in path or max(map(len, names)) > LONGEST_NAME:
        return "this is no path"
    return ""


def _wrong_take(value: Any) -> str:
    named = isinstance(value, str) and PICTURE.fullmatch(value)
    fits = value is None or named or (type(value) is int and value >= 0)
    return "" if fits else "it is a number from 0 on, grid, or the name of a picture"


def _wrong_saved(value: Any) -> str:
    if not isinstance(value, dict):
        return "it is whole numbers by name"
    unknown = sorted(value.keys() - SAVED.keys())
    if unknown:
        return f"unknown: {', '.join(unknown)}"
    wrong = [name for name, number in value.items() if type(number) is not int or number not in SAVED[name]]
    return f"{wrong[0]} is out of range" if wrong else ""


def _wrong_uses(value: Any) -> str:
    if not isinstance(value, dict) or not all(_is_text(name, LONGEST_PATH) for name in value):
        return "they are operators and nets by name"
    for facts in value.values():
        if not isinstance(facts, dict) or not facts.keys() <= {"version", "sha256"}:
            return "each is told by its version or its sha256"
        if not all(_is_text(fact, LONGEST_NAME) for fact in facts.values()):
            return "versions and hashes are text"
    return ""


def _is_text(value: Any, most: int, least: int = 1) -> bool:
    return isinstance(value, str) and least <= len(value) <= most


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


SAVED: dict[str, Container[int]] = {"depth": (8, 16), "quality": range(1, 101), "columns": range(1, 2**31)}
CHECKS: dict[str, Callable[[Any], str]] = {
    "version": _wrong_version,
    "params": _wrong_params,
    "inputs": _wrong_inputs,
    "weights": _wrong_weights,
    "take": _wrong_take,
    "saved": _wrong_saved,
    "uses": _wrong_uses,
}  # by entry of a Step: what is wrong with a value that was read; nothing in a stranger's file is trusted

__all__ = ["Recipe", "Step", "from_json", "is_address", "to_json"]

"""Classes by name: what a person may call them, and which number the model knows them by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Model
from danqing.core.learned.numbered import SHOWN as LONGEST
from danqing.core.learned.numbered import numbered

ALL = "all"  # where every class can be asked for, this asks for it; a class of that name goes by its number there
SHOWN = 20  # names in a message
LIKE_A_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


def class_names(model: Model) -> list[str]:
    """The names of a model's classes in order: its card's, or else their numbers; empty for a model without classes."""
    names = [str(name) for name in model.card.get("classes") or ()]
    count = model.config.get("classes", 0)
    return names if len(names) == count else [str(number) for number in range(count)]


def class_number(model: Model, label: str, names: Sequence[str] | None = None, where: str = "label") -> int:
    """Find the class that a person means by its name or its number, from 0; a name counts first.

    Where half of the names or more are numbers themselves, as of digits, only names count: a number that is none of
    them would name another class. A class called all goes by its number even so.

    Args:
        model: which has the classes.
        label: what the person says.
        names: all that can be meant, where that is more than the classes, which come first.
        where: the parameter by which it was said.

    Raises:
        ParameterError: if the model has no classes, or not this one.
    """
    names = class_names(model) if names is None else names
    if not names:
        raise ParameterError("this model is unconditional: it knows no classes", where=where, remedy="Leave it out")
    if label in names:
        return list(names).index(label)
    number = numbered(label, len(names))
    numbers = sum(LIKE_A_NUMBER.fullmatch(name) is not None for name in names)
    if number is not None and (2 * numbers < len(names) or names[number] == ALL):
        return number
    shown = ", ".join(names[:SHOWN]) + (f" … ({len(names)} in all)" if len(names) > SHOWN else "")
    raise ParameterError(f"{label[:LONGEST]!r} is no class of this model", where=where, remedy=f"It knows {shown}")

"""The members of a body, as far as all endpoints read them alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from danqing.faces.service.catalogue import task_of
from danqing.faces.service.chains import Asked, Numbered, read_steps
from danqing.faces.service.problems import Problem
from danqing.faces.service.saving import Kept
from danqing.faces.service.service import Service

LONGEST = 200  # characters of a title


def steps_of(service: Service, steps: Any, picture: str | None, saving: Kept) -> list[Asked]:
    """Read the steps of a chain, whose last result is saved so.

    Raises:
        Problem: naming what is wrong with them.
    """
    if not isinstance(steps, list) or not all(isinstance(each, dict) for each in steps):
        raise Problem("parameter", "is not a list of steps", parameter="steps")
    for number, each in enumerate(steps, 1):
        try:
            check_members(each, {"task", "values", "on", "saving"})
            if not isinstance(each.get("task"), str):
                raise Problem("parameter", "is not the name of a task", parameter="task")
            object_in(each, "values")
            object_in(each, "saving")
            flag_in(each, "on")
        except Problem as problem:
            problem.more["step"] = number
            raise
    read = read_steps(steps, picture, service.settings.limits.steps)
    last = max((at for at, each in enumerate(read) if each.on), default=-1)
    for at, each in enumerate(read):
        with Numbered(at + 1):
            kept = Kept.of(each.saving, 1) if each.saving else saving if at == last else Kept()
            kept.check(task_of(each.name), each.values)
    return read


def check_members(asked: Mapping[str, Any], known: set[str]) -> None:
    """Refuse members of a body that mean nothing.

    Raises:
        Problem: naming the first.
    """
    for name in sorted(asked.keys() - known):
        raise Problem("parameter", "no such parameter", name[:100], f"Known: {', '.join(sorted(known))}")


def object_in(asked: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """A member of a body that is an object, if it is there.

    Raises:
        Problem: if it is something else.
    """
    found = asked.get(name)
    if found is not None and not isinstance(found, dict):
        raise Problem("parameter", "is not a JSON object", parameter=name)
    return found


def title_in(asked: Mapping[str, Any]) -> str:
    """The title in a body; empty where there is none.

    Raises:
        Problem: if it is no text, or too long a one.
    """
    title = asked.get("title")
    if title is not None and (not isinstance(title, str) or len(title) > LONGEST):
        raise Problem("parameter", f"is no title of at most {LONGEST} characters", parameter="title")
    return title or ""


def picture_in(asked: Mapping[str, Any], name: str = "picture") -> str | None:
    """A member of a body that is the id of a picture, if it is there.

    Raises:
        Problem: if it is something else.
    """
    found = asked.get(name)
    if found is not None and not isinstance(found, str):
        raise Problem("parameter", "is not the id of a picture", parameter=name)
    return found


def flag_in(asked: Mapping[str, Any], name: str) -> bool:
    """A member of a body that says yes or no; no where it is not there.

    Raises:
        Problem: if it says something else.
    """
    found = asked.get(name, False)
    if not isinstance(found, bool):
        raise Problem("parameter", "is not yes or no", parameter=name)
    return found


__all__ = ["check_members", "flag_in", "object_in", "picture_in", "steps_of", "title_in"]

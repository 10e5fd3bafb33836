"""What somebody wants to see, as it is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

from danqing.core.fields.box import BoxKind
from danqing.faces.service.catalogue import is_live, task_of
from danqing.faces.service.chains import Asked
from danqing.faces.service.display import Size
from danqing.faces.service.members import check_members, object_in, picture_in, steps_of
from danqing.faces.service.problems import Problem
from danqing.faces.service.routes_files import check_form
from danqing.faces.service.saving import Kept
from danqing.faces.service.sent_values import read_values
from danqing.faces.service.service import Service

MEMBERS = {"id", "channel", "task", "values", "picture", "steps", "size", "box", "format", "quality"}
SIZE, LARGEST = 1024, 4096  # px


class Wish(NamedTuple):
    """What somebody wants to see."""

    id: Any
    channel: str
    steps: list[Asked]
    picture: str | None
    size: Size
    form: str
    quality: int


def read_wish(service: Service, asked: Any) -> Wish:
    """Read a wish.

    Raises:
        Problem: if it cannot be met.
    """
    if not isinstance(asked, dict):
        raise Problem("malformed", "the body is no JSON object")
    check_members(asked, MEMBERS)
    picture = picture_in(asked)
    if "steps" in asked:
        steps = steps_of(service, asked["steps"], picture, Kept())
    else:
        name = asked.get("task")
        if not isinstance(name, str):
            raise Problem("parameter", "is not the name of a task", parameter="task")
        task, values = task_of(name), dict(object_in(asked, "values") or {})
        if picture is not None and (not task.subject or values.get(task.subject) not in (None, picture)):
            raise Problem("parameter", "would not be looked at: the task works on none, or on another", "picture")
        if task.subject and picture is not None:
            values[task.subject] = picture
        values = read_values(task, values)
        picture = picture_in({task.subject: values.pop(task.subject, None)}, task.subject)
        steps = [Asked(name, values)]
    for step in steps:
        if not is_live(task_of(step.name)):
            raise Problem("parameter", "cannot be looked at live", parameter=step.name, remedy="Run it")
    size, quality = asked.get("size", SIZE), asked.get("quality", 85)
    for name, value, high in (("size", size, LARGEST), ("quality", quality, 100)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
            raise Problem("parameter", f"{str(value)[:50]!r} is not a whole number in 1…{high}", parameter=name)
    box = asked.get("box")
    rectangle = None if box in (None, "") else BoxKind().check(box, "box")
    form = check_form("auto" if asked.get("format") is None else asked["format"])
    return Wish(asked.get("id"), channel_in(asked), steps, picture, Size(size, rectangle), form, quality)


def channel_in(asked: dict[str, Any]) -> str:
    """The channel of a wish; empty where it names none that can be told again."""
    found = asked.get("channel", "")
    return str(found)[:64] if isinstance(found, str | int) else ""


__all__ = ["Wish", "channel_in", "read_wish"]

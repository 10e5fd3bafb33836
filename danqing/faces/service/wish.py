"""What somebody wants to see, as it is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

from danqing.core.fields.box import BoxKind
from danqing.faces.service.catalogue import is_live, task_of
from danqing.faces.service.chains import Asked
from danqing.faces.service.display import Size
from danqing.faces.service.members import check_members, steps_of
from danqing.faces.service.problems import Problem
from danqing.faces.service.routes_files import check_form
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
    picture = asked.get("picture")
    if "steps" in asked:
        steps = steps_of(service, asked["steps"], picture)
    else:
        name = asked.get("task")
        if not isinstance(name, str):
            raise Problem("parameter", "is not the name of a task", parameter="task")
        task, values = task_of(name), dict(asked.get("values") or {})
        if task.subject and values.get(task.subject) is None and picture is not None:
            values[task.subject] = picture
        values = read_values(task, values)
        picture = values.pop(task.subject, None) if task.subject else None
        steps = [Asked(name, values)]
    for step in steps:
        if not is_live(task_of(step.name)):
            raise Problem("parameter", "cannot be looked at live", parameter=step.name, remedy="Run it")
    if picture is not None and not isinstance(picture, str):
        raise Problem("parameter", "is not the id of a picture", parameter="picture")
    size, quality = asked.get("size", SIZE), asked.get("quality", 85)
    for name, value, high in (("size", size, LARGEST), ("quality", quality, 100)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
            raise Problem("parameter", f"{str(value)[:50]!r} is not a whole number in 1…{high}", parameter=name)
    box = asked.get("box")
    rectangle = None if box in (None, "") else BoxKind().check(box, "box")
    return Wish(
        asked.get("id"), str(asked.get("channel", ""))[:64], steps, picture, Size(size, rectangle),
        check_form(str(asked.get("format") or "auto")), quality,
    )  # fmt: skip


__all__ = ["Wish", "read_wish"]

"""What a wish looks like: tasks run in memory on pictures made small or cut out, for the eye and not for the disk."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from danqing.core.artefacts.artefact import Artefact
from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.pictures import Pictures
from danqing.core.errors import ParameterError
from danqing.core.fields.box import BoxKind, Rectangle
from danqing.core.fields.corners import CornersKind
from danqing.core.fields.form import Field
from danqing.core.fields.mask import MaskKind
from danqing.core.fields.number import NumberKind
from danqing.core.fields.point import PointKind
from danqing.core.learned.card import bundled
from danqing.core.notes import noted
from danqing.core.operators.operator import Operator
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.header import opened
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import finish
from danqing.core.runs.compute import Loaded, compute, watched
from danqing.core.runs.order import Call
from danqing.faces.service.catalogue import is_live, read_values, task_of
from danqing.faces.service.chains import Asked
from danqing.faces.service.display import Size, encoded, smaller, with_opacity
from danqing.faces.service.engine import Stop
from danqing.faces.service.problems import Problem, problem_of
from danqing.faces.service.routes_files import check_form
from danqing.faces.service.routes_runs import check_members, steps_of
from danqing.faces.service.service import Service

MEMBERS = {"id", "channel", "task", "values", "picture", "steps", "size", "box", "format", "quality"}
SIZE, LARGEST = 1024, 4096  # px
SHEET = 4096  # px of a sheet of several pictures


class Wish(NamedTuple):
    """What somebody wants to see."""

    id: Any
    channel: str
    steps: list[Asked]
    picture: str | None
    size: Size
    form: str
    quality: int


class Seen(NamedTuple):
    """What is to be seen: facts, and the picture as a file (empty where there is nothing to look at)."""

    facts: dict[str, Any]
    data: bytes


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


def look(service: Service, wish: Wish, stop: Stop) -> Seen:
    """Do what a wish asks for, in memory."""
    began = time.perf_counter()
    notes: list[str] = []
    shown = Looking(service, wish, stop, notes).seen()
    facts: dict[str, Any] = {"id": wish.id, "channel": wish.channel, "type": "result", "bytes": 0}
    data, count, columns = b"", 0, 1
    if isinstance(shown, Figures):
        facts["numbers"] = service.scrub(shown.told())
    picture = shown.picture if isinstance(shown, Figures) else shown.pixels if isinstance(shown, Picture) else None
    if picture is not None:
        count = len(picture)
        columns = max(1, math.ceil(math.sqrt(count)))
        pixels = contact_sheet(picture, columns) if count > 1 else picture
        alpha = shown.alpha if isinstance(shown, Picture) and count == 1 else None
        bytes_ = smaller(with_opacity(pixels, alpha), SHEET if count > 1 else max(wish.size.longest, 1))
        data, form = encoded(bytes_, wish.form, wish.quality)
        facts |= {"width": bytes_.shape[1], "height": bytes_.shape[0], "format": form, "bytes": len(data)}
    facts |= {"count": count, "columns": columns, "notes": service.scrub(notes)}
    facts.setdefault("numbers", None)
    return Seen({**facts, "milliseconds": round((time.perf_counter() - began) * 1000, 2)}, data)


class Looking:
    """One look: the steps of a wish on its picture; what the steps before the last made is kept for the next look."""

    def __init__(self, service: Service, wish: Wish, stop: Stop, notes: list[str]) -> None:
        self._service, self._wish, self._stop, self._notes = service, wish, stop, notes
        self._scale = 1.0

    def seen(self) -> Picture | Figures | None:
        """What the last step that is on made; the picture itself where none is."""
        wish = self._wish
        steps = [step for step in wish.steps if step.on]
        if wish.picture is not None:
            self._scale = self._scale_of(wish.picture)
        current: Any = None if wish.picture is None else self._picture(wish.picture)
        for number, step in enumerate(steps, 1):
            try:
                if number < len(steps):
                    current = self._remembered(steps[:number], current, step)
                else:
                    current = self._done(step, current)
            except Exception as error:
                problem = problem_of(error)
                if problem.kind == "internal":
                    raise
                problem.more.setdefault("step", number)
                raise problem from error
        return current  # type: ignore[no-any-return]

    def _remembered(self, steps: list[Asked], before: Any, step: Asked) -> Any:
        key = (
            self._wish.picture,
            self._wish.size,
            json.dumps([each.told() for each in steps], sort_keys=True, default=str),
        )
        made = self._service.display.made(key, lambda: self._done(step, before))
        return before if isinstance(made, Figures) else made

    def _done(self, step: Asked, before: Picture | None) -> Picture | Figures | None:
        """What one step makes of a picture."""
        task = task_of(step.name)
        assert isinstance(task, Operator)
        loaded, call = self._loaded(task, step.values, before)
        work = watched(compute(call, loaded), self._notes, {})
        made, like = finish(work, self._stop)
        return _shown(made, like)

    def _loaded(
        self, task: Operator[..., Any], values: Mapping[str, Any], before: Picture | None
    ) -> tuple[Loaded, Call]:
        """The call of a step, and what it works on: files read small, places moved to where they lie there."""
        kinds = {each.name: each for each in task.fields}
        ready: dict[str, Any] = {}
        pictures: dict[str, Any] = {}
        for name, value in values.items():
            field = kinds[name]
            if field.kind.is_picture and name != task.subject:
                pictures[name] = self._beside(value, isinstance(field.kind, MaskKind), before)
            elif field.kind.opens and value != field.default and value not in bundled():
                ready[name] = str(self._service.shelf.find(value))
            else:
                ready[name] = self._moved(field, value)
        if task.subject and before is None:
            raise ParameterError("is required: a picture", where=task.subject)
        with noted(self._notes):
            checked = Call.of(_without(task, pictures), ready)
        return Loaded(before, {**checked.values, **pictures}), replace(checked, operator=task)

    def _picture(self, name: str) -> Picture:
        return self._service.display.picture(self._service.shelf.file(name), name, self._wish.size)

    def _beside(self, name: str, is_mask: bool, before: Picture | None) -> Any:
        """Another picture, or a mask, as large as the one worked on where it was as large as that."""
        file = self._service.shelf.file(name)
        if not is_mask:
            return self._picture(name).pixels

        def read_mask() -> Any:
            with noted([]):
                return Picture(MaskKind().load(file, self._service.settings.limits.pixels))

        key = (name, "mask", self._wish.size)
        found: Picture = self._service.display.mask(key, read_mask, self._wish.size)
        mask = found.pixels
        if before is not None and mask.shape[-2:] != before.pixels.shape[-2:]:
            mask = torch.nn.functional.interpolate(mask, before.pixels.shape[-2:], mode="area")
        return mask

    def _scale_of(self, name: str) -> float:
        """How much smaller the picture worked on is than the one in the file."""
        if self._wish.size.box is not None:
            return 1.0
        with opened(self._service.shelf.file(name), self._service.settings.limits.pixels) as header:
            return min(1.0, self._wish.size.longest / max(header.width, header.height))

    def _moved(self, field: Field, value: Any) -> Any:
        """A value in pixels of the file as one in pixels of what is worked on."""
        kind, scale, box = field.kind, self._scale, self._wish.size.box
        left, top = (box.left, box.top) if box is not None else (0, 0)
        if scale == 1.0 and not (left or top):
            return value
        if isinstance(kind, BoxKind):
            found: Rectangle = kind.check(value, field.name)
            x, y = max(0, round((found.left - left) * scale)), max(0, round((found.top - top) * scale))
            return Rectangle(x, y, max(1, round(found.width * scale)), max(1, round(found.height * scale)))
        if isinstance(kind, PointKind):
            place = kind.check(value, field.name)
            return max(0, int((place[0] - left) * scale)), max(0, int((place[1] - top) * scale))
        if isinstance(kind, CornersKind):
            return tuple(((x - left) * scale, (y - top) * scale) for x, y in kind.check(value, field.name))
        if isinstance(kind, NumberKind) and kind.range is not None and kind.range.unit == "px":
            low, high = kind.range.low, kind.range.high
            scaled = min(high, max(low, value * scale))
            return round(scaled) if kind.whole else scaled
        return value


class _Rest(Operator[..., Any]):
    """An operator without the fields that are filled already."""


def _without(task: Operator[..., Any], pictures: Mapping[str, Any]) -> Operator[..., Any]:
    """The operator, asking only for what is not filled yet."""
    if not pictures:
        return task
    rest = _Rest(task.function, task.name, task.group)
    rest.__dict__["fields"] = tuple(each for each in task.fields if each.name not in pictures)
    return rest


def _shown(made: Artefact, like: Picture | None) -> Picture | Figures | None:
    if isinstance(made, Figures):
        return made
    if isinstance(made, Pictures):
        return Picture(made.x, like.alpha if like is not None else None)
    return None


__all__ = ["Seen", "Wish", "look", "read_wish"]

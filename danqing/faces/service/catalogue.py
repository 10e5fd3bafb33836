"""Tasks as a service tells of them: what there is, and forms as JSON Schema."""

from __future__ import annotations

import difflib
import functools
import math
import threading
from typing import Any

from danqing.core.fields.form import Field
from danqing.core.fields.kind import Kind
from danqing.core.fields.number import UNREACHED, NumberKind
from danqing.core.fields.weights import WeightsKind
from danqing.core.learned.model import Painter
from danqing.core.menu import operators, tasks
from danqing.core.operators.operator import Operator
from danqing.core.operators.task import Local, Task, task_named
from danqing.faces.service.problems import not_found

AnyTask = Task[..., Any]
_LOADING = threading.RLock()  # threads that import modules which import each other may see them half made
LONGEST = 60  # letters of a name that may be meant for another
LONG = frozenset({"schema", "paragraphs", "returns", "source", "examples"})  # what a page does not draw of a task


def offered() -> dict[str, AnyTask]:
    """Every task that a service offers, by the name it goes by."""
    return {name: task for outer in _entries() for name, task in tasks_in(outer).items()}


def known_task(name: str) -> AnyTask | None:
    """The task of a name; None if none is offered. No other is imported for it."""
    near = (each for each in _entries() if f"{name}-".startswith(f"{_spelt(each)}-"))
    return next((tasks_in(each)[name] for each in near if name in tasks_in(each)), None)


def task_of(name: str) -> AnyTask:
    """The task of a name.

    Raises:
        Problem: if none is offered.
    """
    task = known_task(name)
    if task is None:
        raise not_found("task", name, _near(name))
    return task


def _near(name: str) -> str:
    """What may have been meant by a name that no task has."""
    entries = {_spelt(each): each for each in _entries()}
    group = entries.get(name.partition("-")[0])
    names = {*entries, *(tasks_in(group) if group else ())}
    near = difflib.get_close_matches(name, names, 1, 0.7) if len(name) <= LONGEST else []
    return f"Did you mean {near[0]}?" if near else "GET /v1/tasks lists them all"


def _entries() -> list[str]:
    """What is on the menu and not for the person at this machine alone; nothing is imported."""
    with _LOADING:  # syntax trees, too: Python 3.11 cannot read several at a time
        return [name for name, entry in {**tasks(), **operators()}.items() if entry.kind != Local.__name__]


@functools.cache
def tasks_in(entry: str) -> dict[str, AnyTask]:
    """What an entry of the menu stands for: itself, or those that are called by a second word."""
    with _LOADING:
        task = task_named(entry)
        inner = [task.child(each) for each in task.children()] or [task]
        return {_spelt(each.name): each for each in inner}


def _spelt(name: str) -> str:
    """A name as it stands in an address."""
    return name.replace(" ", "-")


def form_of(task: AnyTask) -> tuple[Field, ...]:
    """The fields that a client may fill in."""
    return tuple(each for each in task.fields if each.name not in task.own_places)


def is_job(task: AnyTask) -> bool:
    """Whether it runs as a job alone."""
    return task.is_long and not isinstance(task, Operator)


def paints(task: AnyTask) -> bool:
    """Whether it paints from weights alone, so that several may share what is painted."""
    kinds = [each.kind for each in task.fields]
    return not task.takes_pictures and any(isinstance(k, WeightsKind) and issubclass(k.base, Painter) for k in kinds)


def is_live(task: AnyTask) -> bool:
    """Whether it makes something that can be looked at while a slider moves."""
    return isinstance(task, Operator) and task.makes.lives


def told(name: str) -> dict[str, Any]:
    """All that a page must know of a task, as JSON values."""
    task = task_of(name)
    words = task.words
    fields = [field_told(each, task) for each in form_of(task)]
    return {
        "name": name,
        "title": task.name.replace("_", " "),
        "group": task.group,
        "summary": words.summary,
        "paragraphs": list(words.paragraphs),
        "returns": words.returns,
        "source": words.source,
        "examples": list(words.examples),
        "kind": "operator" if isinstance(task, Operator) else "task",
        "makes": task.makes.__module__.rpartition(".")[2],
        "takes_picture": task.takes_pictures,
        "subject": task.subject,
        "geometry": getattr(task, "geometry", False),
        "version": getattr(task, "version", 1),
        "live": is_live(task),
        "job_only": is_job(task),
        "saving": [*task.makes.options, *(["columns"] if task.makes.gathers else [])],
        "suffixes": list(task.makes.suffixes),
        "fields": fields,
        "schema": schema_of(name),
    }


def told_briefly(name: str) -> dict[str, Any]:
    """What a page draws of a task: all but long words and schemas."""
    whole = told(name)
    fields = [{key: value for key, value in each.items() if key != "schema"} for each in whole["fields"]]
    return {**{key: value for key, value in whole.items() if key not in LONG}, "fields": fields}


def schema_of(name: str) -> dict[str, Any]:
    """The values of a task as JSON Schema."""
    task = task_of(name)
    fields = form_of(task)
    return {
        "type": "object",
        "properties": {each.name: _schema(each, task) for each in fields},
        "required": [each.name for each in fields if each.required],
        "additionalProperties": False,
    }


def field_told(field: Field, task: AnyTask) -> dict[str, Any]:
    """One field for a page."""
    kind = field.kind
    out: dict[str, Any] = {
        "name": field.name,
        "kind": kind.name,
        "widget": kind.widget,
        "required": field.required,
        "optional": field.optional,
        "words": field.words,
        "group": _group(kind),
        "several": field.name == task.subject,
        "schema": (schema := field.json_schema()),
    }
    if "pattern" in schema and not kind.opens:  # where ids are sent in place of files, these are no patterns of ids
        out["pattern"] = schema["pattern"]
    if not field.required and field.default is not None:
        out["default"] = (
            kind.spelt(field.default) if not isinstance(field.default, bool | int | float) else field.default
        )
    if isinstance(kind, NumberKind):
        ends = {} if kind.range is None else {"low": kind.range.low, "high": kind.range.high}
        out |= {name: end for name, end in ends.items() if not math.isinf(end) and end < UNREACHED}
        out |= {"unit": "" if kind.range is None else kind.range.unit, "whole": kind.whole}
    if kind.choices():
        out["choices"] = list(kind.choices())
    if kind.says:
        out["says"] = list(kind.says)
    if isinstance(kind, WeightsKind):
        out["model"] = {"base": kind.base.__name__, "task": kind.task}
    return out


def _schema(field: Field, task: AnyTask) -> dict[str, Any]:
    """What fits a field, as a client may send it."""
    found = field.json_schema()
    if field.kind.opens:
        found = {**found, "type": "string", "pattern": _pattern(field), "maxLength": 128}
        one = {key: value for key, value in found.items() if key in ("type", "pattern", "maxLength")}
        if field.name == task.subject:
            rest = {key: value for key, value in found.items() if key not in one}
            found = {**rest, "anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": 4096}]}
    if not field.required:
        found = {"anyOf": [{key: value for key, value in found.items() if key != "default"}, {"type": "null"}]} | {
            key: found[key] for key in ("description", "default", "x-kind", "x-widget") if key in found
        }
    return found


def _pattern(field: Field) -> str:
    if field.kind.is_picture:
        return "^[0-9a-f]{64}$"
    said = str(field.json_schema().get("pattern", "")).strip("^$")
    return f"^([0-9a-f]{{64}}|[a-z0-9][a-zA-Z0-9_.-]*{'|' if said else ''}{said})$"


def _group(kind: Kind) -> str:
    if kind.is_picture:
        return "pictures"
    if kind.widget in ("model", "label"):
        return "model"
    return "more" if kind.opens and kind.widget == "file" else "settings"


__all__ = [
    "AnyTask",
    "field_told",
    "form_of",
    "is_job",
    "is_live",
    "known_task",
    "offered",
    "paints",
    "schema_of",
    "task_of",
    "told",
]

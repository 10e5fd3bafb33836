"""The OpenAPI document: the endpoints that stand in the code, and one for each task, drawn from its form."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from danqing.core.learned.card import bundled
from danqing.core.operators.operator import Operator
from danqing.data.sources import BUILT_IN
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import BYTES
from danqing.faces.service.bodies import SAVING as SAVED
from danqing.faces.service.problems import MEDIA
from danqing.faces.service.saving import FORMATS
from danqing.faces.service.sending import takes_file

SAVING = {
    "anyOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "format": {"anyOf": [{"enum": ["", *FORMATS]}, {"type": "null"}]},
                "depth": {"anyOf": [{"enum": [8, 16]}, {"type": "null"}]},
                "quality": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 100}, {"type": "null"}]},
                "columns": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 1000}, {"type": "null"}]},
            },
        },
        {"type": "null"},
    ]
}  # fmt: skip
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "message_id"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"}, "message_id": {"type": "string"}, "parameter": {"type": "string"},
        "remedy": {"type": "string"}, "request_id": {"type": "string"}, "step": {"type": "integer"},
        "done": {"type": "array", "items": {"type": "object"}},
    },
    "example": {
        "type": "urn:danqing:problem:parameter", "title": "A value does not fit", "status": 422,
        "detail": "99 is not a whole number in 1…15 px", "message_id": "v-is-not-v-4f2a", "parameter": "radius",
    },
}  # fmt: skip
FILES = ("/metrics", "/preview", "/file", "/zip", "/{name}")  # ends of paths whose answers are no JSON
RESULT = {
    "type": "object",
    "required": ["task", "state", "files", "numbers", "notes"],
    "properties": {
        "task": {"type": "string"}, "state": {"enum": ["done", "skipped"]},
        "files": {"type": "array", "items": {"type": "object"}}, "numbers": {},
        "notes": {"type": "array", "items": {"type": "string"}}, "seconds": {"type": "number"},
        "gallery": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
}  # fmt: skip


def document(app: FastAPI) -> dict[str, Any]:
    """The whole document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        made["components"] = {"schemas": {"Problem": PROBLEM, "Result": RESULT, "Saving": SAVING, "Step": _step()}}
        made["paths"] |= {
            f"/v1/run/{name}": {"post": _operation(name)} for name in catalogue.offered() if _is_run(name)
        }
        for path, operations in made["paths"].items():
            for operation in operations.values():
                _tell_answers(operation, path)
        app.openapi_schema = made
    return app.openapi_schema


def _is_run(name: str) -> bool:
    return not catalogue.is_job(catalogue.task_of(name))


def _step() -> dict[str, Any]:
    """A step of a chain; its values are those of its task, but for the picture: the result of the step before."""
    names = sorted(filter(_is_run, catalogue.offered()))
    facts = {"task": {"enum": names}, "values": {"type": "object"}, "on": {"type": "boolean"}, "saving": SAVED}
    return {"type": "object", "additionalProperties": False, "required": ["task"], "properties": facts}


def _operation(name: str) -> dict[str, Any]:
    """The operation of a task."""
    task = catalogue.task_of(name)
    required = ["values"] if any(each.required for each in catalogue.form_of(task)) else []
    members = {"values": catalogue.schema_of(name), "saving": SAVED, "keep": {"type": "boolean"}}
    body = {"type": "object", "additionalProperties": False, "required": required, "properties": members}
    shown = {"values": example_of(name)}
    content = {"application/json": {"schema": body, "example": shown}, "multipart/form-data": {"schema": _form(name)}}
    answers: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Result"}}}
    if isinstance(task, Operator):
        answers["image/*"] = {"schema": {"type": "string", "format": "binary"}}
    return {
        "tags": [task.group],
        "summary": task.summary,
        "description": "\n\n".join([*task.words.paragraphs, task.words.returns]),
        "operationId": f"run_{name.replace('-', '_')}",
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "The result", "content": answers}},
    }


def _form(name: str) -> dict[str, Any]:
    """The same as a form: where a hash may stand, a file may be sent."""
    whole, fields = catalogue.schema_of(name), catalogue.form_of(catalogue.task_of(name))
    sent = {each.name for each in fields if takes_file(each.kind)}
    values = {
        each: {"anyOf": [schema, BYTES]} if each in sent else schema for each, schema in whole["properties"].items()
    }
    saving = {"type": "string", "contentMediaType": "application/json", "contentSchema": SAVED}
    return {**whole, "properties": {**values, "saving": saving, "keep": {"enum": ["true", "false"]}}}


def example_of(name: str) -> dict[str, Any]:
    """Values that a task could be asked with."""
    known = {
        "picture": "9c1dfaa3" * 8,
        "mask": "77ab0c21" * 8,
        "model": next(iter(bundled()), "9c1dfaa3" * 8),
        "dataset": BUILT_IN[0],
        "file": "9c1dfaa3" * 8,
        "folder": "9c1dfaa3" * 8,
    }
    fields = [each for each in catalogue.form_of(catalogue.task_of(name)) if each.required or each.default is not None]
    shown: dict[str, Any] = {}
    for each in fields:
        if each.required:
            shown[each.name] = known.get(each.kind.widget) or getattr(each.kind, "example", None) or _least(each)
        elif isinstance(each.default, bool | int | float):
            shown[each.name] = each.default
    return shown


def _least(field: Any) -> Any:
    schema = field.json_schema()
    choices = field.kind.choices()
    if choices:
        return choices[0]
    return schema.get(
        "minimum", "#ff8800" if field.kind.widget == "colour" else 1 if "number" in str(schema) else "text"
    )


def _tell_answers(operation: dict[str, Any], path: str) -> None:
    """Every operation may answer with a problem."""
    answers = operation.setdefault("responses", {})
    answers.pop("422", None)
    if path.endswith(FILES) or path == "/v1/pictures/{id}":
        for status in [each for each in answers if each.startswith("2")]:
            answers[status]["content"] = {"*/*": {"schema": BYTES}}
    answers["default"] = {
        "description": "What went wrong",
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


__all__ = ["document", "example_of"]

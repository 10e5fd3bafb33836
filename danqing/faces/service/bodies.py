"""What requests are made of, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

PICTURE = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SAVING = {"$ref": "#/components/schemas/Saving"}
BYTES = {"type": "string", "format": "binary"}
NAME = {"name": "name", "in": "query", "schema": {"type": "string"}}


def json_body(
    properties: dict[str, Any], required: tuple[str, ...] = (), example: Any = None, *, optional: bool = False
) -> dict[str, Any]:
    """A JSON object with these members and no others."""
    schema = {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}
    content: dict[str, Any] = {"schema": schema, **({} if example is None else {"example": example})}
    return {"requestBody": {"required": not optional, "content": {"application/json": content}}}


def upload(*, several: bool = False) -> dict[str, Any]:
    """A file, or several, as parts of a form or as the body."""
    file = {"type": "array", "items": BYTES, "minItems": 1} if several else BYTES
    form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    content = {"multipart/form-data": {"schema": form}, "application/octet-stream": {"schema": BYTES}}
    return {"parameters": [NAME], "requestBody": {"required": True, "content": content}}


__all__ = ["BYTES", "PICTURE", "SAVING", "json_body", "upload"]

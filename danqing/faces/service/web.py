"""What all endpoints share: answers, what was sent, and the parts of the service."""

from __future__ import annotations

import json
import secrets
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from fastapi import Request, Response
from fastapi.responses import FileResponse
from pydantic import WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect

from danqing.core.disk import replacing
from danqing.faces.service.phrases import said
from danqing.faces.service.problems import MEDIA, Problem, as_json, problem_from
from danqing.faces.service.scrub import Scrub
from danqing.faces.service.service import Service

T = TypeVar("T")
FOREVER = "private, max-age=31536000, immutable"
FILES = 256  # parts of one upload
DEEPEST = 64  # levels of JSON within JSON


class Told(Response):
    """JSON values, in the language of the client."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return as_json(in_language(content))


class Sent(NamedTuple):
    """A file that a client sent: its name, where it lies until it is kept, and which part of a form it was."""

    name: str
    file: Path
    part: str = "file"


def service_of(request: Request) -> Service:
    """The service that a request was sent to."""
    service: Service = request.app.state.service
    return service


def in_language(value: Any) -> Any:
    """Answers with what people read in the language of the request."""
    if isinstance(value, dict):
        if value.keys() >= {"kind", "detail", "parameter", "remedy"}:
            return problem_from(value).told()
        told = {name: in_language(each) for name, each in value.items()}
        for name in ("notes", "lines", "warnings", "suggestion"):
            if isinstance(told.get(name), list):
                told[name] = [said(each) if isinstance(each, str) else each for each in told[name]]
        if isinstance(told.get("means"), str):  # of a score
            told["means"] = said(told["means"])
        if isinstance(told.get("words"), str) and "share" in told:
            told["words"] = " · ".join(said(each) for each in told["words"].split(" · "))
        if {"event", "words", "remedy"} <= told.keys():  # of the doctor, in the log of a training
            told |= {name: said(told[name]) for name in ("words", "remedy") if isinstance(told[name], str)}
        return told
    return [in_language(each) for each in value] if isinstance(value, list | tuple) else value


def problem_answer(problem: Problem, request: Request) -> Response:
    """A problem as an answer."""
    request_id = getattr(request.state, "request_id", "")
    return Response(as_json(in_language(problem.told(request_id))), problem.status, problem.headers, MEDIA)


async def in_thread(work: Callable[[], T]) -> T:
    """Do something that waits for the disk, or for a picture to be decoded, beside the server's loop."""
    return await run_in_threadpool(work)


async def zip_answer(request: Request, files: Callable[[], Mapping[str, Path]], name: str) -> Response:
    """Files, by the names that they have in it, as one zip; it is forgotten when it was sent."""
    service = service_of(request)
    target = service.incoming / f"{request.state.request_id}.zip"

    await in_thread(lambda: write_zip(target, files(), service.scrub))
    done = BackgroundTask(lambda: target.unlink(missing_ok=True))
    return FileResponse(target, media_type="application/zip", filename=f"{name}.zip", background=done)


def write_zip(target: Path, files: Mapping[str, Path], scrub: Scrub) -> None:
    """Write files, by the names that they have in it, into one zip; texts without places of this machine."""
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for inner, file in files.items():
            text = scrub.contents(file)
            if text is None:
                archive.write(file, inner)
            else:
                archive.writestr(inner, text)


async def json_of(request: Request, *, empty: bool = False) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises:
        Problem: if it is none.
    """
    body = await body_of(request)
    if empty and not body:
        return {}
    try:
        found = parsed(body)
    except ValueError:
        raise Problem("malformed", "the body is no JSON") from None
    if not isinstance(found, dict):
        raise Problem("malformed", "the body is no JSON object")
    return found


async def body_of(request: Request) -> bytes:
    """All that was sent.

    Raises:
        Problem: if the client went away.
    """
    try:
        return await request.body()
    except ClientDisconnect:
        raise Problem("gone", "the client went away") from None


def event_stream(request: Request, events: Callable[[], AsyncIterator[ServerSentEvent]]) -> Response:
    """Server-sent events; none are begun for who asks for the head alone, which would never end."""
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return EventSourceResponse(events(), ping=15)


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[tuple[list[Sent], dict[str, str]]]:
    """The files that were sent, as parts of a form or as the body, and the other parts; forgotten in the end.

    Raises:
        Problem: if there are none, or the client went away.
    """
    service = service_of(request)
    folder = service.incoming / secrets.token_hex(8)
    folder.mkdir(parents=True)
    try:
        if request.headers.get("content-type", "").startswith("multipart/"):
            yield await _parts(request, folder)
        else:
            yield [Sent(request.query_params.get("name", "file"), await _body(request, folder))], {}
    except ClientDisconnect:
        raise Problem("gone", "the client went away") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _body(request: Request, folder: Path) -> Path:
    file, size = folder / "0", 0
    with open(file, "wb") as stream:
        async for block in request.stream():
            size += len(block)
            if block:
                await run_in_threadpool(stream.write, block)
    if not size:
        raise Problem("malformed", "nothing was sent")
    return file


async def _parts(request: Request, folder: Path) -> tuple[list[Sent], dict[str, str]]:
    try:
        form = await request.form(max_files=FILES, max_fields=FILES, max_part_size=1 << 20)
    except MultiPartException as error:
        raise Problem("malformed", "the form cannot be read") from error
    except Exception as error:
        if isinstance(error, Problem | ClientDisconnect | OSError):
            raise
        raise Problem("malformed", "the form cannot be read") from error
    files: list[Sent] = []
    texts: dict[str, str] = {}
    try:
        for number, (name, part) in enumerate(form.multi_items()):
            if isinstance(part, UploadFile):
                file = folder / str(number)
                with open(file, "wb") as stream:
                    await run_in_threadpool(shutil.copyfileobj, part.file, stream, 1 << 20)
                files.append(Sent(part.filename or "file", file, name))
            else:
                texts[name] = part
    finally:
        await form.close()
    return files, texts


@dataclass(frozen=True)
class Whole:
    """Marks a whole number in a query, in a range; for the reading and for the OpenAPI document."""

    low: int
    high: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    def _read(self, text: Any) -> int:
        given = str(text)
        if not (given.isascii() and given.isdecimal()) or len(given) > 18 or not self.low <= int(given) <= self.high:
            facts = {"given": repr(given[:50]), "low": self.low, "high": self.high}
            raise PydanticCustomError("whole", "{given} is not a whole number in {low}…{high}", facts)
        return int(given)


def text_like(pattern: str) -> WithJsonSchema:
    """What marks a text of a form in a query, for the OpenAPI document."""
    return WithJsonSchema({"type": "string", "pattern": pattern})


def parsed(text: str | bytes) -> Any:
    """JSON values that can be told again: whole texts, and nothing nested deeper than anybody needs.

    Raises:
        ValueError: if it is no JSON, or holds anything else.
    """
    try:
        found = json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    level = [found]
    for _ in range(DEEPEST):
        for each in level:
            if isinstance(each, str):
                each.encode()  # half a character is none
        level = [inner for each in level for inner in _within(each)]
        if not level:
            return found
    raise ValueError("is nested too deep")


def _within(value: Any) -> Iterable[Any]:
    """What a JSON value holds: of an object names and values."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else ()


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


__all__ = [
    "FOREVER",
    "Sent",
    "Told",
    "Whole",
    "body_of",
    "event_stream",
    "in_language",
    "in_thread",
    "json_of",
    "parsed",
    "problem_answer",
    "received",
    "service_of",
    "text_like",
    "zip_answer",
]

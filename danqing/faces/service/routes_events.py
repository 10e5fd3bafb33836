"""What happens to jobs, as server-sent events that go on where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from danqing.faces.service.job_folder import ENDED, JobFolder
from danqing.faces.service.phrases import LANGUAGE
from danqing.faces.service.problems import as_json
from danqing.faces.service.routes_jobs import told
from danqing.faces.service.service import Service
from danqing.faces.service.web import in_language, in_thread, service_of, whole, whole_number

happenings = APIRouter(prefix="/v1", tags=["jobs"])
POLL = 0.2  # seconds between looks at what a worker has written


@happenings.get("/jobs/{id}/events", summary="What happens to a job", response_class=EventSourceResponse)
async def events(request: Request, id: str, after: Annotated[str | None, whole_number(0, 2**53)] = None) -> Response:
    """Server-sent events: ``state``, ``progress``, ``preview``, ``log``; goes on after ``Last-Event-ID``."""
    service = service_of(request)
    job = service.jobs.job(id)
    start = whole(request.headers.get("last-event-id") or after, "after", 0, 0, 2**53)
    return EventSourceResponse(_events(service, job, start), ping=15)


@happenings.get("/events", summary="What happens to all jobs", response_class=EventSourceResponse)
async def all_events(request: Request) -> Response:
    """Server-sent events: ``job`` whenever a job changes its state."""
    return EventSourceResponse(_changes(service_of(request)), ping=15)


async def _events(service: Service, job: JobFolder, after: int) -> AsyncIterator[ServerSentEvent]:
    language = LANGUAGE.get()
    while job.folder.is_dir():
        has_ended = job.state()["state"] in (*ENDED, "paused")
        for place, kind, data in await in_thread(partial(_news, job, after)):
            after = place
            LANGUAGE.set(language)
            shown = in_language(told(service, job) if kind == "state" and has_ended and _is_last(data, job) else data)
            yield ServerSentEvent(as_json(shown).decode(), event=kind, id=str(place))
        if has_ended:
            return
        await asyncio.sleep(POLL)


def _news(job: JobFolder, after: int) -> list[tuple[int, str, Any]]:
    return list(job.events(after))


def _is_last(data: Any, job: JobFolder) -> bool:
    return isinstance(data, dict) and data.get("state") == job.state()["state"]


async def _changes(service: Service) -> AsyncIterator[ServerSentEvent]:
    language = LANGUAGE.get()
    last = service.changes[-1][0] if service.changes else 0
    yield ServerSentEvent("{}", event="hello")
    while True:
        fresh = {name: number for number, name in list(service.changes) if number > last}
        for name, number in fresh.items():
            last = max(last, number)
            job = JobFolder(service.jobs.folder / name)
            if job.asked():
                LANGUAGE.set(language)
                yield ServerSentEvent(as_json(in_language(told(service, job))).decode(), event="job", id=str(number))
        await asyncio.sleep(POLL)


__all__ = ["happenings"]

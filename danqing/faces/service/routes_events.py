"""What happens to jobs, as server-sent events that go on where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from danqing.faces.service.job_folder import ENDED, JobFolder
from danqing.faces.service.phrases import LANGUAGE
from danqing.faces.service.problems import as_json
from danqing.faces.service.service import Service
from danqing.faces.service.web import Whole, event_stream, in_language, in_thread, service_of

happenings = APIRouter(prefix="/v1", tags=["jobs"])
POLL = 0.2  # seconds between looks at what a worker has written


@happenings.get("/jobs/{id}/events", summary="What happens to a job", response_class=EventSourceResponse)
async def events(
    request: Request,
    id: str,
    after: Annotated[int, Whole(0, 2**53)] = 0,
    last_event_id: Annotated[int | None, Header(), Whole(0, 2**53)] = None,
) -> Response:
    """Server-sent events: ``state``, ``progress``, ``preview``, ``log``; goes on after ``Last-Event-ID``."""
    service = service_of(request)
    job = await in_thread(lambda: service.jobs.job(id))
    begin = after if last_event_id is None else last_event_id
    return event_stream(request, lambda: _events(service, job, begin))


@happenings.get("/events", summary="What happens to all jobs", response_class=EventSourceResponse)
async def all_events(request: Request) -> Response:
    """Server-sent events: ``job`` whenever a job changes its state."""
    return event_stream(request, lambda: _changes(service_of(request)))


async def _events(service: Service, job: JobFolder, after: int) -> AsyncIterator[ServerSentEvent]:
    language = LANGUAGE.get()
    while job.folder.is_dir():
        news, has_ended = await in_thread(partial(_news, service, job, after))
        for place, kind, data in news:
            after = place
            LANGUAGE.set(language)
            yield ServerSentEvent(as_json(in_language(data)).decode(), event=kind, id=str(place))
        if has_ended:
            return
        await asyncio.sleep(POLL)


def _news(service: Service, job: JobFolder, after: int) -> tuple[list[tuple[int, str, Any]], bool]:
    """What has happened since, and whether that is all; the last state is told as it is now, with the result."""
    state = job.state()["state"]
    has_ended = state in (*ENDED, "paused")
    found = list(job.events(after))
    for at, (place, kind, data) in enumerate(found):
        if has_ended and kind == "state" and isinstance(data, dict) and data.get("state") == state:
            found[at] = place, kind, service.jobs.told(job)
    return found, has_ended


async def _changes(service: Service) -> AsyncIterator[ServerSentEvent]:
    language = LANGUAGE.get()
    last = service.changes[-1][0] if service.changes else 0
    yield ServerSentEvent("{}", event="hello")
    while True:
        fresh = {name: number for number, name in list(service.changes) if number > last}
        for name, number in fresh.items():
            last = max(last, number)
            told = await in_thread(partial(_told, service, name))
            if told is not None:
                LANGUAGE.set(language)
                yield ServerSentEvent(as_json(in_language(told)).decode(), event="job", id=str(number))
        await asyncio.sleep(POLL)


def _told(service: Service, name: str) -> dict[str, Any] | None:
    """A job as JSON values; None where there is none any more."""
    job = JobFolder(service.jobs.folder / name)
    return service.jobs.told(job) if job.asked() else None


__all__ = ["happenings"]

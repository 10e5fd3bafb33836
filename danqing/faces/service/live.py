"""Pictures that follow a slider: over a WebSocket, or server-sent events where there is none; the newest wish wins."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect
from sse_starlette import EventSourceResponse, ServerSentEvent

from danqing.faces.service.display import MEDIA
from danqing.faces.service.phrases import LANGUAGE
from danqing.faces.service.problems import Problem, as_json
from danqing.faces.service.service import Service
from danqing.faces.service.web import event_stream, in_language, json_of, parsed, service_of, text_like
from danqing.faces.service.wishes import Wishes

live = APIRouter(prefix="/v1/live", tags=["live"])
SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")
SESSION_ID = text_like("^[A-Za-z0-9_-]{8,64}$")
SESSIONS = 256

Seen = asyncio.Queue[tuple[dict[str, Any], bytes]]  # what somebody has not been told yet


@live.websocket("")
async def connect(socket: WebSocket) -> None:
    """Wishes come in as JSON; what is seen goes out as JSON, the picture behind it."""
    await socket.accept()
    service: Service = socket.app.state.service
    turn = asyncio.Lock()

    async def tell(facts: dict[str, Any], data: bytes) -> None:
        async with turn:
            await socket.send_text(as_json(in_language(facts)).decode())
            if data:
                await socket.send_bytes(data)

    wishes = Wishes(service, tell)
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            asked = _asked(message.get("text") or message.get("bytes") or "")
            if isinstance(asked, dict) and asked.get("type") == "ping":
                await tell({"type": "pong"}, b"")
            else:
                await wishes.wish(asked)
    except (WebSocketDisconnect, RuntimeError):  # the client went away while it was told something
        return
    finally:
        wishes.close()


class Sessions:
    """Those who look over server-sent events."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Wishes, Seen]] = {}

    def begin(self, service: Service, name: str) -> Seen:
        """Let somebody look."""
        if len(self._open) >= SESSIONS and name not in self._open:
            raise Problem("too-many", "too many sessions at once", headers={"Retry-After": "10"})
        queue: Seen = asyncio.Queue(64)

        async def tell(facts: dict[str, Any], data: bytes) -> None:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((facts, data))

        self.end(name)
        self._open[name] = Wishes(service, tell), queue
        return queue

    def wishes(self, name: str) -> Wishes:
        """Those of a session.

        Raises:
            Problem: if nobody looks there.
        """
        if name not in self._open:
            raise Problem("conflict", "nobody listens to this session", remedy="Ask for its events first")
        return self._open[name][0]

    def end(self, name: str, queue: Seen | None = None) -> None:
        """Nobody looks any more; ``queue``: unless somebody came back meanwhile, and listens to another one."""
        wishes, current = self._open.get(name, (None, None))
        if wishes is not None and queue in (None, current):
            del self._open[name]
            wishes.close()


@live.get("/events", summary="What is seen, as server-sent events", response_class=EventSourceResponse)
async def events(request: Request, session: Annotated[str, SESSION_ID] = "") -> Response:
    """For browsers without WebSocket: what the wishes of a session look like."""
    name = _session(session)
    sessions: Sessions = request.app.state.sessions
    language = LANGUAGE.get()

    def begun() -> AsyncIterator[ServerSentEvent]:
        return told(sessions.begin(service_of(request), name))

    async def told(queue: Seen) -> AsyncIterator[ServerSentEvent]:
        try:
            yield ServerSentEvent("{}", event="hello")
            while True:
                facts, data = await queue.get()
                LANGUAGE.set(language)
                media = MEDIA.get(str(facts.get("format")), "image/png")
                picture = {"picture": f"data:{media};base64,{base64.b64encode(data).decode()}"} if data else {}
                yield ServerSentEvent(as_json(in_language({**facts, **picture})).decode(), event=str(facts["type"]))
        finally:
            sessions.end(name, queue)

    return event_stream(request, begun)


WISH = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"id": 1, "task": "median", "values": {"x": "9c1dfaa3" * 8, "radius": 2}, "size": 512},
            }
        },
    }
}


@live.post("/wishes", status_code=202, summary="Wish to see something", openapi_extra=WISH)
async def wish(request: Request, session: Annotated[str, SESSION_ID] = "") -> Response:
    """Send a wish for a session whose events are listened to."""
    sessions: Sessions = request.app.state.sessions
    wishes = sessions.wishes(_session(session))
    await wishes.wish(await json_of(request))
    return Response(status_code=202)


def _session(name: str) -> str:
    if not SESSION.fullmatch(name):
        raise Problem("parameter", "is not 8 to 64 letters and digits", parameter="session")
    return name


def _asked(text: str | bytes) -> Any:
    """What a message holds; None if it is no JSON."""
    try:
        return parsed(text)
    except ValueError:
        return None


__all__ = ["Sessions", "Wishes", "live"]

"""A real service on a free port of this process, with a client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from danqing.faces.service.app import application
from danqing.faces.service.server import Server, _listening
from danqing.faces.service.settings import Limits, Settings

PATIENCE = 240.0  # seconds until what is waited for counts as never happening


class Running:
    """A service that runs in a thread of this process, and a client of it."""

    def __init__(self, settings: Settings, page: Path | None = None) -> None:
        self._socket = _listening(settings.host, settings.port)
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = application(settings) if page is None else application(settings, page)
        self.service = self.app.state.service
        config = uvicorn.Config(self.app, log_level="error", access_log=False, ws="websockets-sansio", http="httptools")
        up = threading.Event()
        self._server = Server(config, up.set)
        self._server.config.timeout_graceful_shutdown = 2
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        assert up.wait(PATIENCE)
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)

    def close(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        self._socket.close()

    def send(self, file: Path, name: str | None = None) -> str:
        """Keep a picture; its id."""
        answer = self.client.post("/v1/pictures", content=file.read_bytes(), params={"name": name or file.name})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["pictures"][0]["id"])

    def until(self, job: str, *states: str) -> dict[str, Any]:
        """A job, when it has come to one of these states."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self.client.get(f"/v1/jobs/{job}").json())
            return found["state"] in states

        wait_for(there)
        return found


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until, "it never happened"
        threading.Event().wait(0.02)


@contextmanager
def running(folder: Path, page: Path | None = None, **facts: Any) -> Iterator[Running]:
    limits = Limits(**facts.pop("limits", {}))
    made = Running(replace(Settings(folder=folder, port=0, limits=limits, nice=0), **facts), page)
    try:
        yield made
    finally:
        made.close()

"""Run a service until it is stopped."""

from __future__ import annotations

import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from danqing.core.errors import OutputError
from danqing.core.stops import stops
from danqing.faces.service.app import application
from danqing.faces.service.settings import Settings

ENOUGH = 5.0  # seconds that open connections have when the service stops


class Server(uvicorn.Server):
    """One that ends on Ctrl-C and its like, and then lets the command go on to its own end."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in stops()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(settings: Settings, started: Callable[[str], None], page: str = "") -> None:
    """Run a service until it is stopped.

    Args:
        settings: how it is run.
        started: told the address when it listens.
        page: a path that a browser is opened at; empty: none is.

    Raises:
        OutputError: if the port or the folder is in use.
    """
    listening = _listening(settings.host, settings.port)
    host, port = listening.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    try:
        app = application(settings)
        config: Any = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=int(ENOUGH),
            ws_max_size=settings.limits.json_bytes, ws="websockets-sansio", http="httptools", lifespan="on",
            timeout_keep_alive=30,
        )  # fmt: skip

        def tell() -> None:
            started(url)
            if page:
                threading.Thread(target=webbrowser.open, args=(f"{url}{page}",), daemon=True).start()

        Server(config, tell).run([listening])
    finally:
        listening.close()


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OutputError: if it cannot, such as on a port in use.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise OutputError("is no address of this machine", where=host) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(2048)
    except OSError as error:
        made.close()
        raise OutputError(
            f"cannot be listened on ({error.strerror})", where=f"{host}:{port}", remedy="Choose another --port"
        ) from error
    return made


__all__ = ["serve"]

"""One request and its answer, as the guard sees them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

from danqing.faces.service.phrases import LANGUAGES, language_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": POLICY,
}


class Asked:
    """What a request says of itself."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.id, self.path = scope, secrets.token_hex(8), str(scope["path"])
        self._headers: dict[str, str] = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.query = _query(scope.get("query_string", b"").decode("latin-1"))
        self.address = (scope.get("client") or ("", 0))[0]

    def header(self, name: str) -> str:
        """A header; empty where it is not there."""
        return self._headers.get(name, "")

    @property
    def host(self) -> str:
        """The name that the service is called by."""
        try:
            return (urlsplit(f"//{self.header('host')}").hostname or "").lower()
        except ValueError:
            return ""

    @property
    def client(self) -> str:
        """Who asks, as far as can be told."""
        named = f"{self.address} {self.header('danqing-client')[:128]} {self.header('authorization')}"
        return hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()[:32]

    @property
    def language(self) -> str:
        """In which language to answer."""
        chosen = self.query.get("lang", [""])[0][:2].lower()
        return chosen if chosen in LANGUAGES else language_of(self.header("accept-language"))

    def cookie(self, name: str) -> str:
        """A cookie; empty where it is not there."""
        try:
            cookies = SimpleCookie(self.header("cookie"))
        except CookieError:
            return ""
        value: str = cookies[name].value if name in cookies else ""
        return value


class Answer:
    """Adds to every answer what all have, and remembers its status."""

    def __init__(self, send: Send, request_id: str, origin: str) -> None:
        self.send, self._id, self.origin, self.status, self.began = send, request_id, origin, 0, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.began = message["status"], True
            there = {name.lower() for name, _ in message["headers"]}
            more = {**HEADERS, "x-request-id": self._id, "cache-control": "no-store", **self._cors()}
            added = [(k.encode(), v.encode("latin-1")) for k, v in more.items() if k.encode() not in there]
            message = {**message, "headers": [*message["headers"], *added]}
        await self.send(message)

    async def preflight(self) -> None:
        """Tell a page elsewhere, whose origin was named, what it may ask."""
        allow = {
            "access-control-allow-methods": "GET, POST, DELETE",
            "access-control-allow-headers": "authorization, content-type, accept, accept-language, danqing-client",
        }
        headers = [(k.encode(), v.encode()) for k, v in allow.items()]
        await self({"type": "http.response.start", "status": 204, "headers": headers})
        await self({"type": "http.response.body", "body": b""})

    def _cors(self) -> dict[str, str]:
        return {"access-control-allow-origin": self.origin, "vary": "Origin"} if self.origin else {}


def _query(text: str) -> dict[str, list[str]]:
    """What stands behind the question mark; nothing, if that is more than anybody needs."""
    try:
        return parse_qs(text, max_num_fields=100, errors="replace")
    except ValueError:
        return {}


__all__ = ["Answer", "App", "Asked", "Message", "Receive", "Scope", "Send"]

"""Who may ask: hosts, origins, tokens, rates and sizes are looked at first; and every request has an id."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from danqing.faces.service.exchange import Answer, App, Asked, Message, Receive, Scope, Send
from danqing.faces.service.meters import Meters
from danqing.faces.service.phrases import LANGUAGE
from danqing.faces.service.problems import MEDIA, Problem, as_json, problem_of
from danqing.faces.service.settings import Limits, Settings

COOKIE = "danqing"
OPEN = ("/healthz", "/readyz", "/v1/session", "/v1/about")
LOCAL = {"localhost", "127.0.0.1", "::1"}


class Rates:
    """Counts what each address asks for; a client may call itself what it likes."""

    def __init__(self, limits: Limits) -> None:
        self._rates = FixedWindowRateLimiter(MemoryStorage())
        self._all = RateLimitItemPerMinute(limits.requests_per_minute)
        self._wrong = RateLimitItemPerMinute(limits.wrong_tokens_per_minute)

    def request(self, address: str) -> None:
        """Count a request.

        Raises:
            Problem: if it is one too many.
        """
        if not self._rates.hit(self._all, "all", address):
            raise Problem("too-many", "too many requests in one minute", headers={"Retry-After": "60"})

    def wrong_token(self, address: str) -> None:
        """Count a token that is wrong, or missing.

        Raises:
            Problem: if it is one too many.
        """
        if not self._rates.hit(self._wrong, "wrong", address):
            raise Problem("too-many", "too many wrong tokens", headers={"Retry-After": "60"})


class Guard:
    """The outermost layer of a service."""

    def __init__(self, app: App, settings: Settings, rates: Rates, meters: Meters, log: Any) -> None:
        self._app, self._settings, self._rates = app, settings, rates
        self._meters, self._log = meters, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = Asked(scope)
        scope.setdefault("state", {})
        scope["state"] |= {
            "request_id": asked.id,
            "client": asked.client,
            "address": asked.address,
            "signed_in": self._is_known(asked),
        }
        LANGUAGE.set(asked.language)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=asked.id)
        origin = asked.header("origin")
        answer = Answer(send, asked.id, origin if origin in self._settings.origins else "")
        began = time.perf_counter()
        try:
            self._check(asked)
            if scope["type"] == "http" and scope["method"] == "OPTIONS" and answer.origin:
                await answer.preflight()
            elif scope["type"] == "http":
                await self._app(scope, self._measured(receive, asked), answer)
            else:
                await self._app(scope, receive, send)
        except Problem as problem:
            self._meters.refused.labels(problem.kind).inc()
            await _refuse(problem, scope, answer, asked.id)
        except Exception as error:
            self._log.error("failed", path=asked.path, exc_info=error)
            await _refuse(problem_of(error), scope, answer, asked.id)
        finally:
            if scope["type"] == "http":
                self._note(scope, asked, answer, time.perf_counter() - began)

    def _check(self, asked: Asked) -> None:
        """Refuse what must be refused.

        Raises:
            Problem: if it must.
        """
        if not self._is_own_host(asked.host):
            raise Problem("forbidden", "the service is not called by this name", parameter="Host")
        origin = asked.header("origin")
        if origin and origin not in self._settings.origins and not _is_same(origin, asked.header("host")):
            raise Problem("forbidden", "pages of another origin may not ask this service", parameter="Origin")
        is_foreign = asked.header("sec-fetch-site") == "cross-site" and not origin
        if is_foreign and asked.header("sec-fetch-mode") != "navigate":
            raise Problem("forbidden", "pages of another origin may not ask this service", parameter="Origin")
        self._rates.request(asked.address)
        self._check_token(asked)

    def _check_token(self, asked: Asked) -> None:
        if not self._settings.token or asked.scope["state"]["signed_in"]:
            return
        is_api = asked.path.startswith("/v1/") or asked.path == "/metrics"
        if not is_api or asked.path in OPEN:  # the page itself holds no secret
            return
        self._rates.wrong_token(asked.address)
        headers = {"WWW-Authenticate": 'Bearer realm="danqing"'}
        raise Problem("token", "this service asks for a token", remedy="Sign in", headers=headers)

    def _is_known(self, asked: Asked) -> bool:
        token = self._settings.token
        if not token:
            return True
        kind, _, given = asked.header("authorization").partition(" ")
        if kind.lower() == "bearer" and is_same_secret(given.strip(), token):
            return True
        cookie = asked.cookie(COOKIE)
        if cookie and is_same_secret(cookie, session_of(token)):
            return True
        return is_same_secret(asked.query.get("token", [""])[0], token)

    def _is_own_host(self, host: str) -> bool:
        if host in LOCAL or host in self._settings.hosts:
            return True
        if self._settings.is_local:
            return False
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host == self._settings.host
        return True  # a number is no name that somebody could point here

    def _measured(self, receive: Receive, asked: Asked) -> Receive:
        """What the client sends, up to a limit."""
        limits = self._settings.limits
        most = limits.json_bytes
        if asked.path.startswith("/v1/datasets"):
            most = limits.dataset_bytes
        elif asked.path.startswith(("/v1/pictures", "/v1/files", "/v1/models", "/v1/run/")):
            most = limits.upload_bytes
        problem = Problem("too-large", f"more than {most} bytes were sent", headers={"Connection": "close"})
        declared = asked.header("content-length")
        if declared.isdecimal() and int(declared) > most:
            raise problem
        seen = 0

        async def measured() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise problem
            return message

        return measured

    def _note(self, scope: Scope, asked: Asked, answer: Answer, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._meters.requests.labels(scope["method"], route, answer.status).inc()
        self._meters.seconds.labels(route).observe(seconds)
        self._log.info(
            "request", method=scope["method"], path=asked.path, status=answer.status,
            milliseconds=round(seconds * 1000, 1), client=asked.client[:16],
        )  # fmt: skip


def session_of(token: str) -> str:
    """What the cookie of a signed-in page holds in place of the token."""
    return hmac.new(token.encode(), b"danqing session", hashlib.sha256).hexdigest()


def is_same_secret(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of them."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _is_same(origin: str, host: str) -> bool:
    """Whether an origin is the service itself."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


async def _refuse(problem: Problem, scope: Scope, answer: Answer, request_id: str) -> None:
    if scope["type"] == "websocket":
        await answer.send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:100]})
        return
    if answer.began:
        return
    headers = {"content-type": MEDIA, **{name.lower(): value for name, value in problem.headers.items()}}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await answer({"type": "http.response.start", "status": problem.status, "headers": raw})
    await answer({"type": "http.response.body", "body": as_json(problem.told(request_id))})


__all__ = ["COOKIE", "Guard", "Rates", "is_same_secret", "session_of"]

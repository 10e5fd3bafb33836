"""What a service says of itself: that it lives, what it can, how it does; and signing in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from danqing import __version__
from danqing.core.learned.card import bundled, read_card
from danqing.faces.service.bodies import json_body
from danqing.faces.service.guard import COOKIE, Rates, is_same_secret, session_of
from danqing.faces.service.members import check_members
from danqing.faces.service.models import base_of
from danqing.faces.service.phrases import LANGUAGES
from danqing.faces.service.problems import Problem
from danqing.faces.service.service import Service
from danqing.faces.service.web import Told, in_thread, json_of, service_of

about = APIRouter(tags=["service"])
PHOTOGRAPHS = ("chelsea.png", "astronaut.png", "coffee.png", "camera.png")


@about.get("/healthz", summary="Whether the service lives")
async def healthz() -> Response:
    """It does, if it answers."""
    return Told({"status": "ok"})


@about.get("/readyz", summary="Whether the service is ready")
async def readyz(request: Request) -> Response:
    """Whether all tasks are loaded."""
    if not service_of(request).ready.is_set():
        raise Problem("not-ready", "the service is starting", headers={"Retry-After": "1"})
    return Told({"status": "ok"})


@about.get("/metrics", summary="Figures for Prometheus")
async def metrics(request: Request) -> Response:
    """Requests, times, jobs and what waits."""
    return Response(service_of(request).meters.text(), media_type=CONTENT_TYPE_LATEST)


@about.get("/v1/about", summary="What the service is")
async def told(request: Request) -> Response:
    """Version, limits, and something to begin with."""
    service = service_of(request)
    signed_in = bool(request.state.signed_in)  # the guard says so of every request
    facts: dict[str, Any] = {
        "name": "danqing", "version": __version__, "ready": service.ready.is_set(), "device": "cpu",
        "threads": torch.get_num_threads(), "languages": list(LANGUAGES),
        "token_required": bool(service.settings.token), "signed_in": signed_in, "warnings": service.warnings,
    }  # fmt: skip
    if signed_in:
        start = await in_thread(lambda: beginnings(service))
        facts |= {"limits": service.settings.limits.told(), "start": start}
    return Told(facts)


SIGN_IN = json_body({"token": {"type": "string"}}, ("token",))


@about.post("/v1/session", status_code=204, summary="Sign in", openapi_extra=SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Exchange the token for a cookie that the page's pictures are asked for with."""
    service = service_of(request)
    asked = await json_of(request)
    check_members(asked, {"token"})
    token = asked.get("token")
    if not isinstance(token, str):
        raise Problem("parameter", "is not a text", parameter="token")
    answer = Response(status_code=204)
    if not service.settings.token:
        return answer
    if not is_same_secret(token, service.settings.token):
        rates: Rates = request.app.state.rates
        rates.wrong_token(request.state.address)
        raise Problem("token", "this is not the token of the service", parameter="token")
    is_safe = request.url.scheme == "https"
    answer.set_cookie(COOKIE, session_of(token), httponly=True, samesite="strict", secure=is_safe, max_age=30 * 86400)
    return answer


@about.delete("/v1/session", status_code=204, summary="Sign out")
async def sign_out() -> Response:
    """Forget the cookie."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def beginnings(service: Service) -> dict[str, Any]:
    """Photographs that come with scikit-image, and a painter if one comes with danqing, to begin with."""
    known = service.starts
    kept = (known.read("start") or {}).get("pictures", [])
    if not kept or not all(service.shelf.holds(each) for each in kept):
        kept = [_kept(service, name) for name in PHOTOGRAPHS]
        known.write("start", {"pictures": kept})
    pictures = [{"id": each, "name": service.shelf.file(each).name} for each in kept]
    painters = [name for name, file in bundled().items() if base_of(str(read_card(file).get("family"))) == "Painter"]
    return {"picture": pictures[0]["id"], "pictures": pictures, "model": painters[0] if painters else None}


def _kept(service: Service, name: str) -> str:
    """One of scikit-image's photographs, which lie inside its package, on the shelf."""
    from skimage import data

    return service.shelf.put(Path(data.__file__).with_name(name), name)


__all__ = ["about", "beginnings"]

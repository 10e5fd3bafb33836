"""The application: endpoints, the guard before them, errors as problem details, and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from danqing import __version__
from danqing.core.errors import DanqingError
from danqing.faces.service import openapi
from danqing.faces.service.about import about
from danqing.faces.service.guard import Guard, Rates
from danqing.faces.service.live import Sessions, live
from danqing.faces.service.logs import logger
from danqing.faces.service.problems import Problem, is_foreseen, problem_of
from danqing.faces.service.routes_events import happenings
from danqing.faces.service.routes_files import files
from danqing.faces.service.routes_gallery import kept
from danqing.faces.service.routes_job_files import job_files
from danqing.faces.service.routes_jobs import jobs
from danqing.faces.service.routes_models import weights
from danqing.faces.service.routes_runs import runs
from danqing.faces.service.routes_sets import sets
from danqing.faces.service.service import Service
from danqing.faces.service.settings import Settings
from danqing.faces.service.web import problem_answer

PAGE = Path(__file__).parents[1] / "studio" / "static"
PACKED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "image/*", "application/octet-stream")  # what shrinks no further
READING = {"GET", "HEAD"}
ROUTERS = (about, runs, files, jobs, job_files, happenings, weights, sets, kept, live)
BY_STATUS = {406: "unacceptable", 413: "too-large", 403: "forbidden"}


def application(settings: Settings, page: Path = PAGE) -> FastAPI:
    """The application of a service.

    Args:
        settings: how it is run.
        page: the folder of the built page; without one there is the API alone.

    Raises:
        OutputError: if the folder of the service cannot be had.
    """
    log = logger()
    service = Service(settings, log)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        service.open()
        yield
        service.close()

    app = FastAPI(
        title="danqing", version=__version__, lifespan=running, docs_url=None, redoc_url=None,
        openapi_url="/v1/openapi.json", summary="Make and mend pictures with neural networks",
    )  # fmt: skip
    rates = Rates(settings.limits)
    app.state.service, app.state.sessions, app.state.rates = service, Sessions(), rates
    for router in ROUTERS:
        app.include_router(router)
    for route in _routes():
        if "GET" in (route.methods or ()):
            app.add_api_route(route.path, route.endpoint, methods=["HEAD"], include_in_schema=False)
    if page.is_dir():
        app.mount("/", Page(directory=page, html=True), name="page")
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    _tell_errors(app, service)
    app.add_middleware(GZipMiddleware, minimum_size=4096, compresslevel=4, exclude_content_types=PACKED)
    app.add_middleware(Guard, settings=settings, rates=rates, meters=service.meters, log=log)
    return app


class Page(StaticFiles):
    """The built page: what has a hash in its name is kept, the page itself asked for anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "public, max-age=31536000, immutable" if "assets/" in path else "no-cache"
        return answer


def _tell_errors(app: FastAPI, service: Service) -> None:
    async def tell(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if not is_foreseen(error):
            service.log.error("failed", path=request.url.path, exc_info=error)
        problem.detail, problem.parameter = service.scrub(problem.detail), service.scrub(problem.parameter)
        problem.remedy, problem.more = service.scrub(problem.remedy), service.scrub(problem.more)
        return problem_answer(problem, request)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code in (404, 405):
            return problem_answer(_nowhere(request, error.status_code == 405), request)
        problem = Problem(BY_STATUS.get(error.status_code, "malformed"), str(error.detail))
        problem.headers = dict(error.headers or {})
        return problem_answer(problem, request)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first: Any = error.errors()[0]
        return problem_answer(Problem("parameter", str(first["msg"]), str(first["loc"][-1])), request)

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in (Problem, DanqingError, OSError, MemoryError):
        app.add_exception_handler(kind, tell)


def _routes() -> list[APIRoute]:
    """Every endpoint of the API but its own document."""
    return [each for router in ROUTERS for each in router.routes if isinstance(each, APIRoute)]


def _nowhere(request: Request, is_place: bool) -> Problem:
    """Why nothing answers to a method at a place: there is no such place, or it answers to others.

    Args:
        request: that nothing answers to.
        is_place: whether the page says that it answers to others.
    """
    path = request.url.path
    methods = {method for each in _routes() if each.path_regex.match(path) for method in each.methods or ()}
    is_of_page = is_place and not path.startswith("/v1/")
    is_read = "GET" in methods or path == request.app.openapi_url or is_of_page
    allowed = methods | (READING if is_read else set())
    if not allowed or (not methods and request.method in READING):
        return Problem("not-found", "there is no such place", remedy="GET /v1/openapi.json lists them all")
    spelt = ", ".join(sorted(allowed))
    detail = f"{request.method[:20]} is not understood here"
    return Problem("method", detail, remedy=f"Ask with {spelt}", headers={"Allow": spelt})


__all__ = ["PAGE", "application"]

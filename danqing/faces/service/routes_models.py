"""Models: cards, sending, downloading, forgetting."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from danqing.core.errors import ModelFileError
from danqing.core.fields.weights import WeightsKind
from danqing.core.learned.families import family_named
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import upload
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.sending import ELSEWHERE, found_in, keep_model
from danqing.faces.service.service import Service
from danqing.faces.service.web import Sent, Told, in_thread, received, service_of

weights = APIRouter(prefix="/v1", tags=["models"])


@weights.get("/models", summary="All models")
async def models(request: Request, fits: str = "") -> Response:
    """The weights there are; ``fits=task.field`` gives those that a field takes."""
    service = service_of(request)
    found = await in_thread(service.models.all)
    if fits:
        kind = await in_thread(lambda: _kind(fits))
        found = [each for each in found if kind is None or _fits(each, kind)]
    return Told({"models": found})


@weights.post("/models", status_code=201, summary="Send weights", openapi_extra=upload())
async def send_model(request: Request) -> Response:
    """Keep a ``.safetensors`` of danqing; nothing in it is run."""
    service = service_of(request)
    async with received(request) as (sent, _):
        if len(sent) != 1:
            raise Problem("malformed", "one file is to be sent")
        name = await in_thread(lambda: _add_model(service, sent[0]))
    return Told(service.models.told(name, whole=True), 201, {"Location": f"/v1/models/{name}"})


@weights.get("/models/{id}", summary="One model")
async def model(request: Request, id: str) -> Response:
    """What is known of weights, with their card."""
    service = service_of(request)
    return Told(service.scrub(await in_thread(lambda: service.models.told(id, whole=True))))


@weights.get("/models/{id}/file", summary="The file of a model")
async def model_file(request: Request, id: str) -> Response:
    """Download weights."""
    file = await in_thread(lambda: service_of(request).models.file(id))
    return FileResponse(file, media_type="application/octet-stream", filename=file.name)


@weights.delete("/models/{id}", status_code=204, summary="Forget a model")
async def delete_model(request: Request, id: str) -> Response:
    """Forget weights that were sent or trained."""
    await in_thread(lambda: service_of(request).models.delete(id))
    return Response(status_code=204)


def _add_model(service: Service, sent: Sent) -> str:
    if made := found_in(sent):
        raise ModelFileError(f"holds {made.noun}, no model", where=sent.name, remedy=ELSEWHERE)
    return keep_model(service, sent)


def _kind(fits: str) -> WeightsKind | None:
    name, _, field = fits.rpartition(".")
    task = catalogue.task_of(name)
    found = next((each.kind for each in task.fields if each.name == field), None)
    if found is None:
        raise not_found("field", fits)
    return found if isinstance(found, WeightsKind) else None


def _fits(model: dict[str, Any], kind: WeightsKind) -> bool:
    fits = issubclass(family_named(model["family"]), kind.base)
    return fits and (not kind.task or model["task"] == kind.task)


__all__ = ["weights"]

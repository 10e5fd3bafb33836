"""Sets of pictures: sent as a zip, or in folders of this machine; looked through and looked at."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from danqing.core.pictures.contract import Picture
from danqing.core.pictures.names import READABLE
from danqing.core.pictures.reading import read
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import json_body, upload
from danqing.faces.service.display import MEDIA, encoded, smaller, with_opacity
from danqing.faces.service.members import check_members
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.routes_job_files import OUT, files_of
from danqing.faces.service.routes_jobs import submitted
from danqing.faces.service.sending import keep_set
from danqing.faces.service.sent_values import read_values
from danqing.faces.service.service import Service
from danqing.faces.service.sets import CHECK
from danqing.faces.service.web import Told, Whole, in_thread, json_of, received, service_of, write_zip

sets = APIRouter(prefix="/v1", tags=["datasets"])


@sets.get("/datasets", summary="All sets of pictures")
async def datasets(request: Request) -> Response:
    """The sets of pictures there are."""
    known = service_of(request).sets
    return Told({"datasets": await in_thread(lambda: [known.told(name) for name in known.all()])})


@sets.post("/datasets", status_code=201, summary="Send a set of pictures", openapi_extra=upload())
async def send_dataset(request: Request) -> Response:
    """Keep a zip of pictures, perhaps in a folder for each class; looking through it begins at once, as a job."""
    service = service_of(request)
    async with received(request) as (sent, _):
        if len(sent) != 1:
            raise Problem("malformed", "one file is to be sent")
        name = await in_thread(lambda: keep_set(service, sent[0]))
    return await _added(request, name)


@sets.post("/jobs/{id}/dataset", status_code=201, summary="Keep what a job made as a set")
async def keep_made(request: Request, id: str) -> Response:
    """Keep the pictures that a job made, with their labels, as a set; looking through it begins at once."""
    service = service_of(request)

    def work() -> str:
        job = service.jobs.job(id)
        if job.end().get("result") is None:
            raise Problem("conflict", "this job has no result yet", parameter=id)
        made = {name.removeprefix(OUT): file for name, file in files_of(service, job).items() if name.startswith(OUT)}
        if not any(file.suffix.lower() in READABLE for file in made.values()):
            raise Problem("conflict", "this job made no set of pictures", parameter=id)
        target = service.incoming / f"{request.state.request_id}.zip"
        try:
            write_zip(target, made, service.scrub)
            return service.sets.add(target, f"{job.asked().get('title') or job.asked()['task']}.zip")
        finally:
            target.unlink(missing_ok=True)

    return await _added(request, await in_thread(work))


@sets.get("/datasets/{id}", summary="One set of pictures")
async def dataset(request: Request, id: str) -> Response:
    """What is known of a set of pictures, with the report of the look through it."""
    service = service_of(request)
    return Told(service.scrub(await in_thread(lambda: service.sets.told(id))))


LOOK = json_body({"family": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, optional=True)


@sets.post("/datasets/{id}/check", status_code=201, summary="Look through", openapi_extra=LOOK)
async def check(request: Request, id: str) -> Response:
    """Read every picture and tell what a training would stumble over, as a job."""
    service = service_of(request)
    asked = await json_of(request, empty=True)
    check_members(asked, {"family"})
    return Told(await in_thread(lambda: _check(service, id, asked.get("family"), request.state.client)), 201)


@sets.get("/datasets/{id}/pictures", summary="The pictures of a set")
async def its_pictures(
    request: Request,
    id: str,
    limit: Annotated[int, Whole(1, 1000)] = 24,
    offset: Annotated[int, Whole(0, 2**31)] = 0,
) -> Response:
    """Some pictures of a set, by name."""
    service = service_of(request)
    names = await in_thread(lambda: [each.name for each in service.sets.archive(id).pictures()[0]])
    shown = [{"name": name, "url": f"/v1/datasets/{id}/pictures/{name}"} for name in names[offset : offset + limit]]
    return Told({"pictures": shown, "count": len(names)})


@sets.get("/datasets/{id}/pictures/{name:path}", summary="A picture of a set, small")
async def its_picture(request: Request, id: str, name: str, size: Annotated[int, Whole(16, 2048)] = 128) -> Response:
    """One picture of a set for the eye; names are looked up in the set, and lead nowhere else."""
    service = service_of(request)

    def work() -> tuple[bytes, str]:
        archive = service.sets.archive(id)
        entry = next((each for each in archive.entries if each.name == name), None)
        if entry is None:
            raise not_found("picture", name)
        picture: Picture = read(archive.find(entry), limit=service.settings.limits.pixels, at_least=size)
        return encoded(smaller(with_opacity(picture.pixels, picture.alpha), size))

    data, form = await in_thread(work)
    return Response(data, media_type=MEDIA[form], headers={"cache-control": "private, max-age=3600"})


@sets.delete("/datasets/{id}", status_code=204, summary="Forget a set of pictures")
async def delete_dataset(request: Request, id: str) -> Response:
    """Forget a set that was sent."""
    await in_thread(lambda: service_of(request).sets.delete(id))
    return Response(status_code=204)


async def _added(request: Request, name: str) -> Response:
    """What is known of a set that is new; looking through it begins."""
    service = service_of(request)
    check = await in_thread(lambda: _check(service, name, None, request.state.client))
    return Told({**service.sets.told(name), "check": check}, 201, {"Location": f"/v1/datasets/{name}"})


def _check(service: Service, name: str, family: Any, client: str) -> dict[str, Any]:
    told_set = service.sets.told(name)
    task = catalogue.task_of(CHECK)
    values = read_values(task, {"pictures": name, "family": family})
    job = submitted(service, {"task": CHECK, "values": values, "saving": None}, str(told_set["name"]), client)
    service.sets.note(name, check=job.id)
    return service.jobs.told(job)


__all__ = ["sets"]

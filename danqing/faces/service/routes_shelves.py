"""Models, sets of pictures, and the gallery."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from danqing.core.errors import DanqingError
from danqing.core.fields.weights import WeightsKind
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.listing import reason_to_pass
from danqing.core.pictures.reading import read
from danqing.data.archives import Archive, open_folder
from danqing.data.zips import open_zip
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import PICTURE, json_body, upload
from danqing.faces.service.chains import chain_of, recipe_of
from danqing.faces.service.display import MEDIA, encoded, smaller, with_opacity
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.routes_jobs import submitted, told
from danqing.faces.service.routes_runs import check_members
from danqing.faces.service.service import Service
from danqing.faces.service.web import Told, in_thread, json_of, received, service_of, whole, whole_number

shelves = APIRouter(prefix="/v1")
SMALL, MANY = whole_number(16, 2048), whole_number(1, 500)


@shelves.get("/models", tags=["models"], summary="All models")
async def models(request: Request, fits: str = "") -> Response:
    """The weights there are; ``fits=task.field`` gives those that a field takes."""
    service = service_of(request)
    found = await in_thread(service.models.list)
    if fits:
        kind = await in_thread(lambda: _kind(fits))
        found = [each for each in found if kind is None or _fits(each, kind)]
    return Told({"models": found})


@shelves.post("/models", tags=["models"], status_code=201, summary="Send weights", openapi_extra=upload())
async def send_model(request: Request) -> Response:
    """Keep a ``.safetensors`` of danqing; nothing in it is run."""
    service = service_of(request)
    async with received(request) as (sent, _):
        if len(sent) != 1:
            raise Problem("malformed", "one file is to be sent")
        name = await in_thread(lambda: _add_model(service, sent[0].file, sent[0].name))
    return Told(service.models.told(name, whole=True), 201, {"Location": f"/v1/models/{name}"})


@shelves.get("/models/{id}", tags=["models"], summary="One model")
async def model(request: Request, id: str) -> Response:
    """What is known of weights, with their card."""
    service = service_of(request)
    return Told(service.scrub(await in_thread(lambda: service.models.told(id, whole=True))))


@shelves.get("/models/{id}/file", tags=["models"], summary="The file of a model")
async def model_file(request: Request, id: str) -> Response:
    """Download weights."""
    file = await in_thread(lambda: service_of(request).models.file(id))
    return FileResponse(file, media_type="application/octet-stream", filename=file.name)


@shelves.delete("/models/{id}", tags=["models"], status_code=204, summary="Forget a model")
async def delete_model(request: Request, id: str) -> Response:
    """Forget weights that were sent or trained."""
    await in_thread(lambda: service_of(request).models.delete(id))
    return Response(status_code=204)


@shelves.get("/datasets", tags=["datasets"], summary="All sets of pictures")
async def datasets(request: Request) -> Response:
    """The sets of pictures there are."""
    sets = service_of(request).sets
    return Told({"datasets": await in_thread(lambda: [sets.told(name) for name in sets.list()])})


@shelves.post("/datasets", tags=["datasets"], status_code=201, summary="Send a set of pictures", openapi_extra=upload())
async def send_dataset(request: Request) -> Response:
    """Keep a zip of pictures, perhaps in a folder for each class; looking through it begins at once, as a job."""
    service = service_of(request)
    async with received(request) as (sent, _):
        if len(sent) != 1:
            raise Problem("malformed", "one file is to be sent")
        each = sent[0]
        title = each.name if each.name.lower().endswith(".zip") else f"{each.name}.zip"
        name = await in_thread(lambda: service.sets.add(each.file, title))
    check = await in_thread(lambda: _check(service, name, None, request.state.client))
    return Told({**service.sets.told(name), "check": check}, 201, {"Location": f"/v1/datasets/{name}"})


@shelves.get("/datasets/{id}", tags=["datasets"], summary="One set of pictures")
async def dataset(request: Request, id: str) -> Response:
    """What is known of a set of pictures, with the report of the look through it."""
    service = service_of(request)
    return Told(service.scrub(await in_thread(lambda: service.sets.told(id))))


CHECK = json_body({"family": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, optional=True)


@shelves.post("/datasets/{id}/check", tags=["datasets"], status_code=201, summary="Look through", openapi_extra=CHECK)
async def check(request: Request, id: str) -> Response:
    """Read every picture and tell what a training would stumble over, as a job."""
    service = service_of(request)
    asked = await json_of(request, empty=True)
    check_members(asked, {"family"})
    return Told(await in_thread(lambda: _check(service, id, asked.get("family"), request.state.client)), 201)


@shelves.get("/datasets/{id}/pictures", tags=["datasets"], summary="The pictures of a set")
async def its_pictures(
    request: Request,
    id: str,
    limit: Annotated[str | None, whole_number(1, 1000)] = None,
    offset: Annotated[str | None, whole_number(0, 2**31)] = None,
) -> Response:
    """Some pictures of a set, by name."""
    service = service_of(request)
    first, most = whole(offset, "offset", 0, 0, 2**31), whole(limit, "limit", 24, 1, 1000)
    names = await in_thread(lambda: [each.name for each in _archive(service, id).entries])
    shown = [{"name": name, "url": f"/v1/datasets/{id}/pictures/{name}"} for name in names[first : first + most]]
    return Told({"pictures": shown, "count": len(names)})


@shelves.get("/datasets/{id}/pictures/{name:path}", tags=["datasets"], summary="A picture of a set, small")
async def its_picture(
    request: Request, id: str, name: str, size: Annotated[str | None, whole_number(16, 2048)] = None
) -> Response:
    """One picture of a set for the eye; names are looked up in the set, and lead nowhere else."""
    service = service_of(request)
    longest = whole(size, "size", 128, 16, 2048)

    def work() -> tuple[bytes, str]:
        archive = _archive(service, id)
        entry = next((each for each in archive.entries if each.name == name), None)
        if entry is None:
            raise not_found("picture", name)
        picture: Picture = read(archive.find(entry), limit=service.settings.limits.pixels, at_least=longest)
        return encoded(smaller(with_opacity(picture.pixels, picture.alpha), longest))

    data, form = await in_thread(work)
    return Response(data, media_type=MEDIA[form], headers={"cache-control": "private, max-age=3600"})


@shelves.delete("/datasets/{id}", tags=["datasets"], status_code=204, summary="Forget a set of pictures")
async def delete_dataset(request: Request, id: str) -> Response:
    """Forget a set that was sent."""
    await in_thread(lambda: service_of(request).sets.delete(id))
    return Response(status_code=204)


@shelves.get("/gallery", tags=["gallery"], summary="What was made")
async def gallery(
    request: Request, task: str = "", before: str = "", limit: Annotated[str | None, whole_number(1, 500)] = None
) -> Response:
    """Items, the last one first."""
    service = service_of(request)
    most = whole(limit, "limit", 60, 1, 500)
    items, more = await in_thread(lambda: service.gallery.list(task, before, most))
    return Told({"items": items, "next": more})


KEEP = json_body(
    {
        "files": {"type": "array", "minItems": 1, "maxItems": 1024, "items": PICTURE},
        "title": {"type": "string", "maxLength": 200},
    },
    ("files",),
)


@shelves.post("/gallery", tags=["gallery"], status_code=201, summary="Keep results", openapi_extra=KEEP)
async def keep(request: Request) -> Response:
    """Put files into the gallery; how they were made is read from them."""
    service = service_of(request)
    asked = await json_of(request)
    check_members(asked, {"files", "title"})
    names, title = asked.get("files"), asked.get("title") or ""
    if not isinstance(names, list) or not 0 < len(names) <= 1024 or not all(isinstance(each, str) for each in names):
        raise Problem("parameter", "is not a list of ids", parameter="files")
    if not isinstance(title, str) or len(title) > 200:
        raise Problem("parameter", "is no title of at most 200 characters", parameter="title")
    return Told(await in_thread(lambda: _kept(service, names, title)), 201)


@shelves.get("/gallery/zip", tags=["gallery"], summary="Items as a zip")
async def gallery_zip(request: Request, items: str = "") -> Response:
    """The files of some items, or of all, in one zip."""
    return await _zip(request, [each for each in items.split(",") if each])


ITEMS = json_body({"items": {"type": "array", "items": {"type": "string"}}}, optional=True)


@shelves.post("/gallery/zip", tags=["gallery"], summary="Items as a zip", openapi_extra=ITEMS)
async def gallery_zip_of(request: Request) -> Response:
    """The files of some items, or of all, in one zip."""
    asked = await json_of(request, empty=True)
    check_members(asked, {"items"})
    names = asked.get("items") or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise Problem("parameter", "is not a list of ids", parameter="items")
    return await _zip(request, names)


@shelves.get("/gallery/{id}", tags=["gallery"], summary="One item")
async def item(request: Request, id: str) -> Response:
    """An item of the gallery."""
    return Told(await in_thread(lambda: service_of(request).gallery.told(id)))


@shelves.delete("/gallery/{id}", tags=["gallery"], status_code=204, summary="Take an item out")
async def delete_item(request: Request, id: str) -> Response:
    """Take an item out of the gallery."""
    await in_thread(lambda: service_of(request).gallery.delete(id))
    return Response(status_code=204)


def unpacked(service: Service, name: str) -> list[str]:
    """The pictures of a set, each kept by itself; their ids.

    Raises:
        Problem: if there are none, or more than one job may have.
    """
    archive = _archive(service, name)
    entries = [each for each in archive.entries if reason_to_pass(each.name, partial(archive.head, each)) is None]
    most = service.settings.limits.batch
    if not entries:
        raise Problem("data", "holds no pictures", parameter=name)
    if len(entries) > most:
        raise Problem("parameter", f"one request may ask for {most} at most", parameter=name)
    return [service.shelf.put(archive.find(each), each.name) for each in entries]


def _archive(service: Service, name: str) -> Archive:
    if name == "digits":
        raise Problem("conflict", "the built-in digits have no files", parameter=name)
    service.sets.told(name)
    place = service.shelf.find(name)
    return open_folder(place) if place.is_dir() else open_zip(place)


def _check(service: Service, name: str, family: Any, client: str) -> dict[str, Any]:
    told_set = service.sets.told(name)
    task = catalogue.task_of("data-check")
    values = catalogue.read_values(task, {"pictures": name, "family": family})
    job = submitted(service, {"task": "data-check", "values": values, "saving": None}, str(told_set["name"]), client)
    service.sets.note(name, check=job.id)
    return told(service, job)


def _add_model(service: Service, file: Path, name: str) -> str:
    from danqing.core.learned.cache import cached
    from danqing.core.learned.model import Model

    title = name if name.endswith(".safetensors") else f"{name}.safetensors"
    try:
        cached(file, kind=Model)  # looked at whole: a card may be true and the tensors broken
    except DanqingError as error:
        raise type(error)(error.what, where=name, remedy=error.remedy) from error
    return service.models.add(file, title, "uploaded")


def _kept(service: Service, names: list[str], title: str) -> dict[str, Any]:
    files = [service.shelf.file(each) for each in names]
    try:
        chain = chain_of(recipe_of(files[0]), service.shelf, service.models.by_hash())
    except Problem:
        steps, picture = [], None
    else:
        steps, picture = chain.steps, chain.picture
    task = steps[-1]["task"] if steps else ""
    facts = {"task": task, "title": title or files[0].name, "files": names, "numbers": None, "job": None}
    return service.gallery.add({**facts, "steps": steps, "picture": picture})


async def _zip(request: Request, names: list[str]) -> Response:
    service = service_of(request)
    target = service.incoming / f"gallery-{request.state.request_id}.zip"

    def work() -> None:
        wanted = names or [row[0] for row in service.index.rows("gallery")]
        try:
            service.gallery.zip(wanted, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    await in_thread(work)
    done = BackgroundTask(lambda: target.unlink(missing_ok=True))
    return FileResponse(target, media_type="application/zip", filename="danqing.zip", background=done)


def _kind(fits: str) -> WeightsKind | None:
    name, _, field = fits.rpartition(".")
    task = catalogue.task_of(name)
    found = next((each.kind for each in task.fields if each.name == field), None)
    if found is None:
        raise not_found("field", fits)
    return found if isinstance(found, WeightsKind) else None


def _fits(model: dict[str, Any], kind: WeightsKind) -> bool:
    from danqing.core.learned.families import family_named

    fits = issubclass(family_named(model["family"]), kind.base)
    return fits and (not kind.task or model["task"] == kind.task)


__all__ = ["shelves", "unpacked"]

"""The gallery: what was made, kept, and taken along."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from danqing.faces.service.bodies import PICTURE, json_body
from danqing.faces.service.chains import chain_of, recipe_of
from danqing.faces.service.gallery import GALLERY
from danqing.faces.service.members import check_members, title_in
from danqing.faces.service.problems import Problem
from danqing.faces.service.service import Service
from danqing.faces.service.web import Told, Whole, in_thread, json_of, service_of, zip_answer

kept = APIRouter(prefix="/v1", tags=["gallery"])


@kept.get("/gallery", summary="What was made")
async def gallery(
    request: Request, task: str = "", before: str = "", limit: Annotated[int, Whole(1, 500)] = 60
) -> Response:
    """Items, the last one first."""
    service = service_of(request)
    items, more = await in_thread(lambda: service.gallery.list(task, before, limit))
    return Told({"items": items, "next": more})


KEEP = json_body(
    {
        "files": {"type": "array", "minItems": 1, "maxItems": 1024, "items": PICTURE},
        "title": {"type": "string", "maxLength": 200},
    },
    ("files",),
)


@kept.post("/gallery", status_code=201, summary="Keep results", openapi_extra=KEEP)
async def keep(request: Request) -> Response:
    """Put files into the gallery; how they were made is read from them."""
    service = service_of(request)
    asked = await json_of(request)
    check_members(asked, {"files", "title"})
    names, title = asked.get("files"), title_in(asked)
    if not isinstance(names, list) or not 0 < len(names) <= 1024 or not all(isinstance(each, str) for each in names):
        raise Problem("parameter", "is not a list of ids", parameter="files")
    return Told(await in_thread(lambda: _kept(service, names, title)), 201)


@kept.get("/gallery/zip", summary="Items as a zip")
async def gallery_zip(request: Request, items: str = "") -> Response:
    """The files of some items, or of all, in one zip."""
    return await _zip(request, [each for each in items.split(",") if each])


ITEMS = json_body({"items": {"type": "array", "items": {"type": "string"}}}, optional=True)


@kept.post("/gallery/zip", summary="Items as a zip", openapi_extra=ITEMS)
async def gallery_zip_of(request: Request) -> Response:
    """The files of some items, or of all, in one zip."""
    asked = await json_of(request, empty=True)
    check_members(asked, {"items"})
    names = asked.get("items", [])
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise Problem("parameter", "is not a list of ids", parameter="items")
    return await _zip(request, names)


@kept.get("/gallery/{id}", summary="One item")
async def item(request: Request, id: str) -> Response:
    """An item of the gallery."""
    return Told(await in_thread(lambda: service_of(request).gallery.told(id)))


@kept.delete("/gallery/{id}", status_code=204, summary="Take an item out")
async def delete_item(request: Request, id: str) -> Response:
    """Take an item out of the gallery."""
    await in_thread(lambda: service_of(request).gallery.delete(id))
    return Response(status_code=204)


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

    def files() -> dict[str, Path]:
        return service.gallery.files(names or [row[0] for row in service.index.rows(GALLERY)])

    return await zip_answer(request, files, "danqing")


__all__ = ["kept"]

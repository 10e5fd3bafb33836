"""Pictures and any other files: sent once, asked for by hash, shown small."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from danqing.core.errors import DanqingError
from danqing.core.pictures.exif import parse
from danqing.core.pictures.header import opened
from danqing.faces.service.bodies import upload
from danqing.faces.service.chains import chain_of, recipe_of
from danqing.faces.service.display import MEDIA, QUALITY, Size, box_of, encoded, histogram
from danqing.faces.service.problems import Problem, problem_of
from danqing.faces.service.sending import keep_file, keep_picture
from danqing.faces.service.service import Service
from danqing.faces.service.web import FOREVER, Sent, Told, Whole, in_thread, received, service_of, text_like

files = APIRouter(prefix="/v1", tags=["pictures"])
SIZE, LARGEST = 512, 8192  # px of a preview
FORM = text_like("^(auto|webp|png|jpeg|jpg)$")
BOX = text_like("^([0-9]{1,5},[0-9]{1,5},[1-9][0-9]{0,4},[1-9][0-9]{0,4})?$")


@files.post("/pictures", status_code=201, summary="Send pictures", openapi_extra=upload(several=True))
async def send(request: Request) -> Response:
    """Keep one or more pictures, as parts of a form or as the body, byte for byte; they are known by their hash."""
    return await _kept(request, "pictures", keep_picture)


@files.post("/files", status_code=201, summary="Send files of other kinds", openapi_extra=upload(several=True))
async def send_files(request: Request) -> Response:
    """Keep one or more files of whatever kind a task reads: latents, directions, boxes, films, labels, pictures."""
    return await _kept(request, "files", keep_file)


async def _kept(request: Request, name: str, keep: Callable[[Service, Sent], str]) -> Response:
    """Keep all that was sent, and tell of each, or of why it is not kept."""
    service = service_of(request)
    kept: list[Any] = []
    failed: list[Any] = []
    problem: Problem | None = None
    async with received(request) as (sent, _):
        if not sent:
            raise Problem("malformed", "nothing was sent")
        for each in sent:
            try:
                kept.append(service.shelf.facts(await in_thread(partial(keep, service, each))))
            except Exception as error:
                found = problem_of(error)
                if found.kind == "internal":
                    raise
                found.parameter = each.name[:200]
                problem = problem or found
                failed.append({"name": each.name[:200], "problem": found.kept()})
    if problem is not None and not kept:
        raise problem
    return Told({name: kept, "failed": failed}, 201)


@files.get("/pictures/{id}", summary="A file itself")
async def whole_file(request: Request, id: str) -> Response:
    """The bytes as they were sent or made; ``download`` asks the browser to save them."""
    file = service_of(request).shelf.file(id)
    return file_answer(file, service_of(request).shelf.facts(id)["type"], "download" in request.query_params)


def file_answer(file: Path, media: str, download: bool) -> Response:
    """A file as an answer; a page of a stranger's would be shown as text at most."""
    shown = "attachment" if download or not media.startswith(("image/", "video/", "application/json")) else "inline"
    answer = FileResponse(file, media_type=media, filename=file.name, content_disposition_type=shown)
    answer.headers["cache-control"] = FOREVER
    return answer


@files.get("/pictures/{id}/facts", summary="What is known of a file")
async def facts(request: Request, id: str) -> Response:
    """Name, type and size, and of a picture its width, height, depth and what its EXIF says that people ask for."""
    shelf = service_of(request).shelf
    found = shelf.facts(id)
    return Told({**found, "exif": await in_thread(lambda: exif_told(shelf.file(id)))})


@files.get("/pictures/{id}/preview", summary="A picture for the eye")
async def preview(
    request: Request,
    id: str,
    size: Annotated[int, Whole(0, LARGEST)] = SIZE,
    format: Annotated[str, FORM] = "auto",
    box: Annotated[str, BOX] = "",
    quality: Annotated[int, Whole(1, 100)] = QUALITY,
) -> Response:
    """A picture small or cut out, in sRGB and 8 bits, as ``webp``, ``png`` or ``jpeg``."""
    service = service_of(request)
    file = service.shelf.file(id)
    wanted = Size(size, box_of(box))
    form = check_form(format)
    data, made = await in_thread(lambda: encoded(service.display.shown(file, id, wanted), form, quality))
    return Response(data, media_type=MEDIA[made], headers={"cache-control": FOREVER})


@files.get("/pictures/{id}/histogram", summary="How often each brightness occurs")
async def brightness(request: Request, id: str, bins: Annotated[int, Whole(1, 256)] = 64) -> Response:
    """Counts of red, green, blue and luma in so many equal steps, of the picture at most 2048 pixels large."""
    service = service_of(request)
    file = service.shelf.file(id)
    return Told(await in_thread(lambda: histogram(service.display.shown(file, id, Size(2048)), bins)))


@files.get("/pictures/{id}/recipe", summary="How a file was made")
async def recipe(request: Request, id: str) -> Response:
    """The recipe inside a file, as the steps that ``POST /v1/run`` takes, and which files it wants."""
    service = service_of(request)
    file = service.shelf.file(id)
    found = await in_thread(lambda: chain_of(recipe_of(file), service.shelf, service.models.by_hash()))
    return Told(found.told())


def check_form(form: Any) -> str:
    """A format of previews.

    Raises:
        Problem: if there is none of this name.
    """
    known = "jpeg" if form == "jpg" else form
    if known not in ("auto", *MEDIA):
        raise Problem("parameter", f"{str(form)[:20]!r} is not one of auto, {', '.join(MEDIA)}", parameter="format")
    return str(known)


SHOWN = {0x010F: "make", 0x0110: "model", 0x0132: "changed", 0x8298: "copyright", 0x013B: "artist"}


def exif_told(file: Path) -> dict[str, str]:
    """What the EXIF of a picture says that people ask for."""
    try:
        with opened(file) as header:
            block = parse(header.exif) if header.exif else None
    except DanqingError:
        return {}
    found = {} if block is None else {name: block.text(tag) for tag, name in SHOWN.items()}
    return {name: text for name, text in found.items() if text}


__all__ = ["check_form", "exif_told", "file_answer", "files"]

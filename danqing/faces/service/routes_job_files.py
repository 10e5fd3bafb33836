"""What long work has made, and what it writes on the way: results, previews, logs, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from danqing.faces.service.job_folder import JobFolder
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.service import Service
from danqing.faces.service.shelf import type_of
from danqing.faces.service.web import Told, Whole, in_thread, service_of, zip_answer

job_files = APIRouter(prefix="/v1", tags=["jobs"])
SHOWN = ("log.jsonl", "curves.png", "config.json", "card.json", "check.json", "skipped.json")  # of a training's run
OUT = "out/"  # what the names of the files begin with that a task writes


@job_files.get("/jobs/{id}/result", summary="The result of a job")
async def result(request: Request, id: str) -> Response:
    """The result, once there is one."""
    found = await in_thread(lambda: service_of(request).jobs.job(id).end().get("result"))
    if found is None:
        raise Problem("not-found", "this job has no result yet", parameter=id)
    return Told(found)


@job_files.get("/jobs/{id}/preview", summary="The last preview of a job")
async def preview(request: Request, id: str) -> Response:
    """What the job last showed."""

    def work() -> bytes:
        try:
            return service_of(request).jobs.job(id).preview.read_bytes()
        except FileNotFoundError:
            raise Problem("not-found", "this job has shown nothing yet", parameter=id) from None

    return Response(await in_thread(work), media_type="image/png")


@job_files.get("/jobs/{id}/log", summary="The log of a training")
async def log(request: Request, id: str, after: Annotated[int, Whole(0, 2**53)] = 0) -> Response:
    """Rows of a training's log, after a place in it."""
    service = service_of(request)
    rows, end = await in_thread(lambda: _rows(service.jobs.job(id).run / "log.jsonl", after))
    return Told({"rows": service.scrub(rows), "next": end})


@job_files.get("/jobs/{id}/files", summary="The files of a job")
async def its_files(request: Request, id: str) -> Response:
    """What a training has written, and the results."""
    service = service_of(request)
    files = await in_thread(lambda: files_of(service, service.jobs.job(id)))
    rows = [
        {"name": name, "type": type_of(file), "bytes": file.stat().st_size, "url": f"/v1/jobs/{id}/files/{name}"}
        for name, file in files.items()
    ]
    return Told({"files": rows})


@job_files.get("/jobs/{id}/files/{name:path}", summary="One file of a job")
async def one_file(request: Request, id: str, name: str) -> Response:
    """One of the files that are listed; no other is opened, whatever the name says."""
    service = service_of(request)
    file = (await in_thread(lambda: files_of(service, service.jobs.job(id)))).get(name)
    if file is None:
        raise not_found("file", name)
    headers = {"cache-control": "no-cache"}
    text = await in_thread(lambda: service.scrub.contents(file))
    if text is not None:
        return Response(text, media_type=type_of(file), headers=headers)
    return FileResponse(file, media_type=type_of(file), headers=headers)


@job_files.get("/jobs/{id}/zip", summary="All files of a job")
async def zipped(request: Request, id: str) -> Response:
    """All files of a job in one zip."""
    service = service_of(request)
    return await zip_answer(request, lambda: files_of(service, service.jobs.job(id)), id)


def files_of(service: Service, job: JobFolder) -> dict[str, Path]:
    """The files of a job that may be asked for, by name."""
    found = {name: job.run / name for name in SHOWN if (job.run / name).is_file()}
    found |= {f"grids/{each.name}": each for each in sorted((job.run / "grids").glob("*.png"))}
    out = job.folder / "out"
    made = (each for each in sorted(out.rglob("[!.]*")) if each.is_file())
    names = ((each.relative_to(out), each) for each in made)
    found |= {f"{OUT}{name.as_posix()}": each for name, each in names if not name.parts[0].startswith(".")}
    for each in (job.end().get("result") or {}).get("files", []):
        if service.shelf.holds(each["id"]):
            file = service.shelf.file(each["id"])
            name = f"files/{file.name}"
            while name in found:
                name = f"files/{file.stem}-{len(found)}{file.suffix}"
            found[name] = file
    return found


def _rows(file: Path, after: int) -> tuple[list[Any], int]:
    """Whole lines of a log after a place, and the place after them; a log that was cut back is read anew."""
    rows: list[Any] = []
    if not file.is_file():
        return rows, 0
    start = after if after <= file.stat().st_size else 0
    with open(file, "rb") as stream:
        stream.seek(start)
        for line in stream:
            if not line.endswith(b"\n"):
                break
            start += len(line)
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
    return rows, start


__all__ = ["OUT", "files_of", "job_files"]

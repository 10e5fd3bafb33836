"""Long work: asked for here, watched, stopped, taken up again, and its results."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from danqing.core.operators.operator import Operator
from danqing.data.sources import BUILT_IN
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import SAVING, json_body
from danqing.faces.service.job_folder import STATES, JobFolder
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.routes_runs import check_members, steps_of
from danqing.faces.service.saving import Kept
from danqing.faces.service.service import Service
from danqing.faces.service.shelf import type_of
from danqing.faces.service.web import Told, Whole, in_thread, json_of, service_of, text_like, zip_answer

jobs = APIRouter(prefix="/v1", tags=["jobs"])
STATE = text_like(f"^(({'|'.join(STATES)})(,({'|'.join(STATES)}))*)?$")
SHOWN = ("log.jsonl", "curves.png", "config.json", "card.json", "check.json", "skipped.json")  # of a training's run
BODY = json_body(
    {
        "task": {"type": "string"},
        "values": {"type": "object"},
        "title": {"type": "string", "maxLength": 200},
        "saving": SAVING,
        "steps": {"type": "array", "items": {"type": "object"}},
        "pictures": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}]},
    },
    example={"task": "train-dcgan", "values": {"data": BUILT_IN[0], "budget": "2m"}, "title": "digits"},
)


@jobs.post("/jobs", status_code=201, summary="Ask for long work", openapi_extra=BODY)
async def submit(request: Request) -> Response:
    """Queue a task, or a chain of steps over many pictures; it runs in a process of its own."""
    service = service_of(request)
    asked = await json_of(request)
    check_members(asked, {"task", "values", "saving", "steps", "pictures", "title"})
    title = asked.get("title") or ""
    if not isinstance(title, str) or len(title) > 200:
        raise Problem("parameter", "is no title of at most 200 characters", parameter="title")
    facts = await in_thread(lambda: _chain(service, asked) if "steps" in asked else _task(service, asked))
    told = await in_thread(lambda: service.jobs.told(submitted(service, facts, title, request.state.client)))
    return Told(told, 201, {"Location": f"/v1/jobs/{told['id']}"})


def submitted(service: Service, facts: dict[str, Any], title: str, client: str) -> JobFolder:
    """Queue work whose values were read."""
    sets = {name: str(place) for name, place in service.shelf.sets.items()}
    more = {
        "title": title,
        "client": client,
        "limits": asdict(service.settings.limits),
        "sets": sets,
        "nice": service.settings.nice,
    }
    return service.jobs.submit({**facts, **more})


def _task(service: Service, asked: dict[str, Any]) -> dict[str, Any]:
    name = asked.get("task")
    if not isinstance(name, str):
        raise Problem("parameter", "is not the name of a task", parameter="task")
    task = catalogue.task_of(name)
    values = asked.get("values") or {}
    if not isinstance(values, dict):
        raise Problem("parameter", "is not a JSON object", parameter="values")
    if isinstance(values.get(task.subject), dict):
        values = {**values, task.subject: _pictures(service, values[task.subject], task.subject)}
    values = catalogue.read_values(task, values)
    if task.trains and "data" not in values:
        raise Problem("parameter", "is required: a set of pictures", parameter="data")
    saving = Kept.of(asked.get("saving"), service.settings.limits.pixels)
    if isinstance(task, Operator):
        for each in catalogue.form_of(task):
            if each.kind.opens and each.name in values:
                for one in values[each.name] if isinstance(values[each.name], list) else [values[each.name]]:
                    _check_there(service, one, each.name)
    else:
        catalogue.resolved(task, values, service.shelf.find)
    return {"task": name, "values": values, "saving": saving.told()}


def _check_there(service: Service, name: str, field: str) -> None:
    if not service.shelf.holds(name) and name not in service.shelf.sets and len(name) == 64:
        raise Problem("parameter", "nothing is kept under this hash", parameter=field, remedy="Send the file first")


def _chain(service: Service, asked: dict[str, Any]) -> dict[str, Any]:
    if "task" in asked or "values" in asked:
        raise Problem("parameter", "either a task or steps are asked for", parameter="steps")
    pictures = _pictures(service, asked.get("pictures"), "pictures")
    steps = steps_of(service, asked["steps"], pictures[0])
    saving = Kept.of(asked.get("saving"), service.settings.limits.pixels)
    return {"task": "chain", "pictures": pictures, "steps": [each.told() for each in steps], "saving": saving.told()}


def _pictures(service: Service, asked: Any, where: str) -> list[str]:
    """The pictures that a job works on: their ids, or a set of them, which is unpacked onto the shelf."""
    if isinstance(asked, dict) and isinstance(asked.get("dataset"), str):
        return service.sets.unpacked(asked["dataset"], service.settings.limits.batch)
    if not isinstance(asked, list) or not asked or not all(isinstance(each, str) for each in asked):
        raise Problem("parameter", "no pictures are given", parameter=where, remedy="Give their hashes")
    if len(asked) > service.settings.limits.batch:
        most = service.settings.limits.batch
        raise Problem("parameter", f"one request may ask for {most} at most", parameter=where)
    for each in asked:
        service.shelf.find(each)
    return list(asked)


@jobs.get("/jobs", summary="All jobs")
async def all_jobs(
    request: Request,
    state: Annotated[str, STATE] = "",
    task: str = "",
    limit: Annotated[int, Whole(1, 1000)] = 100,
) -> Response:
    """Jobs, the last one first."""
    service = service_of(request)
    states = tuple(filter(None, state.split(",")))
    for each in states:
        if each not in STATES:
            raise Problem("parameter", f"{each[:20]!r} is not one of {', '.join(STATES)}", parameter="state")
    found = await in_thread(lambda: [service.jobs.told(job) for job in service.jobs.all(states, task, limit)])
    return Told({"jobs": found})


@jobs.get("/jobs/{id}", summary="One job")
async def one_job(request: Request, id: str) -> Response:
    """How far a job is, what may be asked of it, and its result when it is done."""
    service = service_of(request)
    return Told(await in_thread(lambda: service.jobs.told(service.jobs.job(id))))


@jobs.delete("/jobs/{id}", status_code=204, summary="Forget a job")
async def forget(request: Request, id: str) -> Response:
    """Forget a job that has ended; what it made stays in the gallery and among the models."""
    await in_thread(lambda: service_of(request).jobs.delete(id))
    return Response(status_code=204)


@jobs.post("/jobs/{id}/cancel", summary="End a job")
async def cancel(request: Request, id: str) -> Response:
    """End a job for good, within two seconds."""
    service = service_of(request)
    return Told(await in_thread(lambda: service.jobs.told(service.jobs.cancel(id))))


@jobs.post("/jobs/{id}/pause", summary="Let a job rest")
async def pause(request: Request, id: str) -> Response:
    """Stop a job where it can go on."""
    service = service_of(request)
    return Told(await in_thread(lambda: service.jobs.told(service.jobs.pause(id))))


SAID = "^[1-9][0-9]{0,8}(s|m|h|kimg|pictures|epochs)$"
BUDGET = json_body({"budget": {"type": "string", "pattern": SAID}}, optional=True)


@jobs.post("/jobs/{id}/resume", summary="Let a job go on", openapi_extra=BUDGET)
async def resume(request: Request, id: str) -> Response:
    """Let a job go on; a training may be given another budget."""
    service = service_of(request)
    changes = await json_of(request, empty=True)
    check_members(changes, {"budget"})
    budget = changes.get("budget")
    if "budget" in changes and not (isinstance(budget, str) and re.fullmatch(SAID, budget)):
        remedy = "Say 90s, 10m, 2h, 500kimg, 20000pictures or 20epochs"
        raise Problem("parameter", f"{str(budget)[:50]!r} is not a budget", parameter="budget", remedy=remedy)
    return Told(await in_thread(lambda: service.jobs.told(service.jobs.resume(id, changes))))


@jobs.get("/jobs/{id}/result", summary="The result of a job")
async def result(request: Request, id: str) -> Response:
    """The result, once there is one."""
    found = await in_thread(lambda: service_of(request).jobs.job(id).end().get("result"))
    if found is None:
        raise Problem("not-found", "this job has no result yet", parameter=id)
    return Told(found)


@jobs.get("/jobs/{id}/preview", summary="The last preview of a job")
async def preview(request: Request, id: str) -> Response:
    """What the job last showed."""

    def work() -> bytes:
        try:
            return service_of(request).jobs.job(id).preview.read_bytes()
        except FileNotFoundError:
            raise Problem("not-found", "this job has shown nothing yet", parameter=id) from None

    return Response(await in_thread(work), media_type="image/png")


@jobs.get("/jobs/{id}/log", summary="The log of a training")
async def log(request: Request, id: str, after: Annotated[int, Whole(0, 2**53)] = 0) -> Response:
    """Rows of a training's log, after a place in it."""
    rows, end = await in_thread(lambda: _rows(service_of(request).jobs.job(id).run / "log.jsonl", after))
    return Told({"rows": rows, "next": end})


@jobs.get("/jobs/{id}/files", summary="The files of a job")
async def its_files(request: Request, id: str) -> Response:
    """What a training has written, and the results."""
    service = service_of(request)
    files = await in_thread(lambda: files_of(service, service.jobs.job(id)))
    rows = [
        {"name": name, "type": type_of(file), "bytes": file.stat().st_size, "url": f"/v1/jobs/{id}/files/{name}"}
        for name, file in files.items()
    ]
    return Told({"files": rows})


@jobs.get("/jobs/{id}/files/{name:path}", summary="One file of a job")
async def one_file(request: Request, id: str, name: str) -> Response:
    """One of the files that are listed; no other is opened, whatever the name says."""
    service = service_of(request)
    file = (await in_thread(lambda: files_of(service, service.jobs.job(id)))).get(name)
    if file is None:
        raise not_found("file", name)
    return FileResponse(file, media_type=type_of(file), headers={"cache-control": "no-cache"})


@jobs.get("/jobs/{id}/zip", summary="All files of a job")
async def zipped(request: Request, id: str) -> Response:
    """All files of a job in one zip."""
    service = service_of(request)
    return await zip_answer(request, lambda: files_of(service, service.jobs.job(id)), id)


def files_of(service: Service, job: JobFolder) -> dict[str, Path]:
    """The files of a job that may be asked for, by name."""
    found = {name: job.run / name for name in SHOWN if (job.run / name).is_file()}
    found |= {f"grids/{each.name}": each for each in sorted((job.run / "grids").glob("*.png"))}
    out = job.folder / "out"
    found |= {f"out/{each.relative_to(out).as_posix()}": each for each in sorted(out.rglob("[!.]*")) if each.is_file()}
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


__all__ = ["files_of", "jobs", "submitted"]

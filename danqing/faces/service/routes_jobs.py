"""Long work: asked for here, watched, stopped and taken up again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from danqing.core.fields.budget import BudgetKind
from danqing.core.operators.operator import Operator
from danqing.data.sources import BUILT_IN
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import SAVING, json_body
from danqing.faces.service.job_folder import STATES, JobFolder
from danqing.faces.service.members import check_members, object_in, steps_of, title_in
from danqing.faces.service.problems import Problem
from danqing.faces.service.saving import Kept
from danqing.faces.service.sent_values import read_values, resolved
from danqing.faces.service.service import Service
from danqing.faces.service.web import Told, Whole, in_thread, json_of, service_of, text_like

jobs = APIRouter(prefix="/v1", tags=["jobs"])
STATE = text_like(f"^(({'|'.join(STATES)})(,({'|'.join(STATES)}))*)?$")
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
    title = title_in(asked)
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
    values = object_in(asked, "values") or {}
    if isinstance(values.get(task.subject), dict):
        values = {**values, task.subject: _pictures(service, values[task.subject], task.subject)}
    values = read_values(task, values)
    if task.trains and "data" not in values:
        raise Problem("parameter", "is required: a set of pictures", parameter="data")
    saving = Kept.of(object_in(asked, "saving"), service.settings.limits.pixels)
    saving.check(task, values)
    if isinstance(task, Operator):
        for each in catalogue.form_of(task):
            given = values.get(each.name)
            for one in given if isinstance(given, list) else [given]:
                if isinstance(one, str) and each.kind.may_open(one):
                    _check_there(service, one, each.name)
    else:
        resolved(task, values, service.shelf.find)
    return {"task": name, "values": values, "saving": saving.told()}


def _check_there(service: Service, name: str, field: str) -> None:
    if service.shelf.holds(name) or name in service.shelf.sets:
        return
    if len(name) == 64 or "/" in name or "\\" in name:
        raise Problem("parameter", "nothing is kept under this hash", parameter=field, remedy="Send the file first")


def _chain(service: Service, asked: dict[str, Any]) -> dict[str, Any]:
    if "task" in asked or "values" in asked:
        raise Problem("parameter", "either a task or steps are asked for", parameter="steps")
    pictures = _pictures(service, asked.get("pictures"), "pictures")
    saving = Kept.of(object_in(asked, "saving"), service.settings.limits.pixels)
    steps = steps_of(service, asked["steps"], pictures[0], saving)
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


BUDGET = BudgetKind()
ANOTHER = json_body({"budget": BUDGET.json_schema()}, optional=True)


@jobs.post("/jobs/{id}/resume", summary="Let a job go on", openapi_extra=ANOTHER)
async def resume(request: Request, id: str) -> Response:
    """Let a job go on; a training may be given another budget."""
    service = service_of(request)
    changes = await json_of(request, empty=True)
    check_members(changes, {"budget"})
    if "budget" in changes:
        BUDGET.check(changes["budget"], "budget")
    return Told(await in_thread(lambda: service.jobs.told(service.jobs.resume(id, changes))))


__all__ = ["jobs", "submitted"]

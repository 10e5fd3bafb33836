"""Tasks: what there is, and running one, or several as a chain."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from danqing.core.artefacts.saving import Take, goes_beside
from danqing.core.json_text import json_text
from danqing.faces.service import catalogue
from danqing.faces.service.bodies import PICTURE, SAVING, json_body
from danqing.faces.service.chains import Asked, chain_of, recipe_of, run_chain
from danqing.faces.service.engine import Stop
from danqing.faces.service.members import check_members, flag_in, object_in, picture_in, steps_of
from danqing.faces.service.phrases import LANGUAGE, help_book
from danqing.faces.service.problems import Problem, as_json, problem_from
from danqing.faces.service.routes_files import file_answer
from danqing.faces.service.saving import FORMATS, Kept
from danqing.faces.service.sending import keep_for
from danqing.faces.service.sent_values import read_values
from danqing.faces.service.service import Service
from danqing.faces.service.web import Told, in_language, in_thread, json_of, parsed, received, service_of

runs = APIRouter(prefix="/v1", tags=["tasks"])


@runs.get("/tasks", summary="All tasks")
async def all_tasks(request: Request, brief: bool = False) -> Response:
    """Every task with its form: fields, their kinds and ranges, words, and what it makes.

    ``brief`` leaves out what a page does not draw: JSON Schemas, long words, examples and sources.
    """
    tell = catalogue.told_briefly if brief else catalogue.told
    return Told({"tasks": await in_thread(lambda: [_helping(tell(name)) for name in catalogue.offered()])})


@runs.get("/tasks/{task}", summary="One task")
async def one_task(request: Request, task: str) -> Response:
    """A task with its form."""
    return Told(await in_thread(lambda: _helping(catalogue.told(task))))


def _helping(told: dict[str, Any]) -> dict[str, Any]:
    """A task whose settings say what they do in the language of the request."""
    if LANGUAGE.get() != "zh":
        return told
    known = help_book()
    return {**told, "fields": [{**each, "words": known.get(each["words"], each["words"])} for each in told["fields"]]}


@runs.post("/run/{task}", include_in_schema=False)
async def run_task(request: Request, task: str) -> Response:
    """Run a task and wait for its result; the OpenAPI document has one such path for each task."""
    service = service_of(request)
    found = await in_thread(lambda: catalogue.task_of(task))
    if catalogue.is_job(found):
        raise Problem("conflict", "this task runs as a job alone", parameter=task, remedy="Ask for it as a job")
    asked = await _asked(request, found)
    check_members(asked, {"values", "saving", "keep"})
    saving = Kept.of(object_in(asked, "saving"), service.settings.limits.pixels)
    values = read_values(found, object_in(asked, "values") or {})
    saving.check(found, values)

    def work(stop: Stop) -> dict[str, Any]:
        return service.engine.run(task, found, values, saving, stop)

    result = await service.engine.do(work, request.is_disconnected, paints=catalogue.paints(found))
    if len(result["failed"]) and not result["files"] and result["numbers"] in (None, []):
        raise _first_failure(result)
    if flag_in(asked, "keep"):
        steps = [Asked(task, {name: value for name, value in values.items() if name != found.subject})]
        result["gallery"] = await in_thread(lambda: keep(service, result, steps, values.get(found.subject)))
    return answer(service, request, result)


STEPS = {"type": "array", "minItems": 1, "maxItems": 32, "items": {"$ref": "#/components/schemas/Step"}}
CHAIN = json_body(
    {"picture": {"anyOf": [PICTURE, {"type": "null"}]}, "steps": STEPS, "saving": SAVING, "keep": {"type": "boolean"}},
    ("steps",),
    {"picture": "9c1dfaa3" * 8, "steps": [{"task": "denoise", "values": {"sigma": 10}}, {"task": "flip", "on": False}]},
)


@runs.post("/run", summary="Run a chain of steps", openapi_extra=CHAIN)
async def run_steps(request: Request) -> Response:
    """Run steps one after the other, each on the result of the one before; those that are off are left out."""
    service = service_of(request)
    asked = await json_of(request)
    check_members(asked, {"picture", "steps", "saving", "keep"})
    picture = picture_in(asked)
    saving = Kept.of(object_in(asked, "saving"), service.settings.limits.pixels)
    steps = await in_thread(lambda: steps_of(service, asked.get("steps"), picture, saving))
    if picture is not None:
        service.shelf.file(picture)
    told = await service.engine.do(
        lambda stop: _chained(service, steps, picture, saving, stop), request.is_disconnected
    )
    if flag_in(asked, "keep") and told["result"] is not None:
        used = [step for step in steps if step.on]
        told["result"]["gallery"] = await in_thread(lambda: keep(service, told["result"], used, picture))
    return Told(told)


@runs.post("/replay", summary="Make a file again", openapi_extra=json_body({"picture": PICTURE}, ("picture",)))
async def replay(request: Request) -> Response:
    """Make a file again from the recipe inside it, and say whether it is the same bit for bit."""
    service = service_of(request)
    asked = await json_of(request)
    check_members(asked, {"picture"})
    name = picture_in(asked)
    if name is None:
        raise Problem("parameter", "is not the id of a picture", parameter="picture")
    file = service.shelf.file(name)
    recipe = await in_thread(lambda: recipe_of(file))
    chain = await in_thread(lambda: chain_of(recipe, service.shelf, service.models.by_hash()))
    if not chain.is_replayable:
        missing = next(each for each in chain.inputs if not each["here"])
        raise Problem("conflict", "what it was made from is not here", parameter=missing["name"])
    saving = Kept.of(None, service.settings.limits.pixels)
    steps = await in_thread(lambda: steps_of(service, chain.steps, chain.picture, saving))
    form = file.suffix.lstrip(".")
    if form in FORMATS and not goes_beside(recipe[-1]):
        last = {**(steps[-1].saving or {}), "format": form}
        steps = [*steps[:-1], steps[-1]._replace(saving=last)]

    def work(stop: Stop) -> dict[str, Any]:
        told = _chained(service, steps, chain.picture, saving, stop)
        made = [service.shelf.file(each["id"]) for each in told["result"]["files"]]
        alike = (each for each in made if each.suffix == file.suffix and _take_of(each) == recipe[-1].take)
        again = next(alike, made[0])
        makes = catalogue.task_of(steps[-1].name).makes
        return {"identical": makes.same(file, again), "result": told["result"]}

    return Told(await service.engine.do(work, request.is_disconnected))


def _take_of(file: Path) -> Take:
    """Which of several results a file holds."""
    return recipe_of(file)[-1].take


def keep(service: Service, result: dict[str, Any], steps: list[Asked], picture: Any) -> str:
    """Put a result into the gallery; the id of the item."""
    first = picture[0] if isinstance(picture, list) and picture else picture
    files = [each["id"] for each in result["files"]]
    item = service.gallery.add(
        {
            "task": steps[-1].name,
            "title": result["files"][0]["name"] if files else steps[-1].name,
            "files": files,
            "numbers": result["numbers"],
            "steps": [step.told() for step in steps],
            "picture": first,
            "job": None,
        }
    )
    return str(item["id"])


def answer(service: Service, request: Request, result: dict[str, Any]) -> Response:
    """A result as the client accepts it: the first file itself, or JSON values."""
    accepts = request.headers.get("accept", "*/*")
    wants_file = any(word in accepts for word in ("image/", "video/", "octet-stream")) and "json" not in accepts
    if not wants_file:
        return Told({"gallery": None, **result})
    seen = [each for each in result["files"] if "width" in each or each["type"].startswith("video/")]
    if not seen:
        raise Problem("unacceptable", "there is no picture to give, only numbers", remedy="Accept application/json")
    file = service.shelf.file(seen[0]["id"])
    sent = file_answer(file, seen[0]["type"], False)
    told = in_language({"notes": result["notes"]})
    sent.headers["danqing-notes"] = quote(json_text(told["notes"]), safe=" ,:[]{}\"'")
    sent.headers["danqing-id"] = seen[0]["id"]
    numbers = as_json(result["numbers"]).decode()
    if result["numbers"] is not None and len(numbers) < 4000:
        sent.headers["danqing-numbers"] = quote(numbers, safe=" ,:[]{}\"'.-")
    sent.headers["cache-control"] = "no-store"
    return sent


def _chained(service: Service, steps: list[Asked], picture: str | None, saving: Kept, stop: Stop) -> dict[str, Any]:
    engine = service.engine

    def one(name: str, task: Any, values: Mapping[str, Any], own: dict[str, Any] | None, last: bool) -> dict[str, Any]:
        result = engine.run(name, task, values, saving.of_step(own, task, values, last), stop)
        if result["failed"] and not result["files"]:
            raise _first_failure(result)
        return result

    results, _ = run_chain(steps, picture, one)
    last = next((each for each in reversed(results) if each["state"] != "off"), None)
    return {"steps": results, "result": last}


async def _asked(request: Request, task: Any) -> dict[str, Any]:
    """What was asked for, as JSON or as a form whose files are kept first."""
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await json_of(request)
    service = service_of(request)
    async with received(request) as (sent, texts):
        kinds = {each.name: each.kind for each in catalogue.form_of(task)}
        values: dict[str, Any] = {name: text for name, text in texts.items() if name not in ("keep", "saving")}
        for each in sent:
            kept = await in_thread(partial(keep_for, service, kinds.get(each.part), each))
            before = values.get(each.part)
            values[each.part] = kept if before is None else [*(before if isinstance(before, list) else [before]), kept]
    told = {name: _parsed(texts[name], name) for name in ("keep", "saving") if texts.get(name)}
    return {"values": values, **told}


def _parsed(text: str, name: str) -> Any:
    """A part of a form that is JSON.

    Raises:
        Problem: if it is none.
    """
    try:
        return parsed(text)
    except ValueError:
        raise Problem("malformed", "the body is no JSON", parameter=name) from None


def _first_failure(result: dict[str, Any]) -> Problem:
    return problem_from(result["failed"][0]["problem"])


__all__ = ["answer", "keep", "runs"]

"""Results go into files of the format that was asked for, or it is said that they do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from serving import Running

from danqing.core.artefacts.saving import Saving
from danqing.core.errors import OutputError
from danqing.core.operators.operator import Operator
from danqing.faces.service import catalogue
from danqing.faces.service.saving import FORMATS, Kept

CJK = re.compile(r"[\u4e00-\u9fff]")
PATTERN: dict[str, Any] = {"width": 32, "height": 24}
MORPH: dict[str, Any] = {"weights": "handwritten-digits", "labels": "1,2", "frames": 2}


@pytest.mark.parametrize(
    ("task", "values", "format"),
    [("noise_pattern", PATTERN, "mp4"), ("morph_classes", MORPH, "png"),
     ("find_directions", {"weights": "handwritten-digits"}, "png"), ("edges", {"x": ""}, "mp4"),
     ("compress", {"x": "", "format": "webp"}, "png"), ("card", {"model": "digits"}, "png")],
)  # fmt: skip
def test_a_format_that_does_not_fit_is_refused_before_anything_is_made(
    server: Running, photo: Path, task: str, values: dict[str, Any], format: str
) -> None:
    values = {**values, **({"x": server.send(photo)} if "x" in values else {})}
    asked = {"values": values, "saving": {"format": format}}
    steps = {"steps": [{"task": task, "values": values}], "saving": asked["saving"]}
    own = {"steps": [{"task": task, **asked}]}
    for path, body in ((f"/v1/run/{task}", asked), ("/v1/run", steps), ("/v1/run", own)):
        answer = server.client.post(path, json=body, headers={"Accept-Language": "en"})
        told = answer.json()
        assert (answer.status_code, told["parameter"], told["type"]) == (422, "format", "urn:danqing:problem:output")
        assert told["detail"].startswith(f"{format} is no format for ")
        assert format not in told["remedy"].split()
        assert told.get("step") == (1 if path == "/v1/run" else None)
    chinese = server.client.post(f"/v1/run/{task}", json=asked, headers={"Accept-Language": "zh"}).json()
    assert CJK.search(chinese["detail"])
    assert CJK.search(chinese["remedy"])
    job = server.client.post("/v1/jobs", json={"task": task, **asked})
    assert (job.status_code, job.json()["parameter"]) == (422, "format")


def test_what_fits_is_what_a_command_line_takes() -> None:
    """Of every operator and format; what is no operator writes no file that a format could be chosen for."""
    for name in catalogue.offered():
        task = catalogue.task_of(name)
        given = {each.name: each.default for each in task.fields}
        taken = {form for form in FORMATS if isinstance(task, Operator) and _takes(task, f"a.{form}", given)}
        assert {form for form in FORMATS if not _is_refused(Kept(form), task, given)} == taken, name


def _takes(task: Operator[..., Any], name: str, given: dict[str, Any]) -> bool:
    try:
        task.makes.check_place(Path(name), Saving(), given)
    except OutputError:
        return False
    return True


def _is_refused(kept: Kept, task: catalogue.AnyTask, given: dict[str, Any]) -> bool:
    try:
        kept.check(task, given)
    except OutputError:
        return True
    return False


@pytest.mark.parametrize(
    ("task", "format", "suffixes"),
    [("flip", "jpg", [".jpg"]), ("flip", "gif", [".gif"]), ("edges", "png", [".png", ".json"]),
     ("edges", "jpg", [".jpg"]),
     ("repair", "webp", [".webp"]), ("find_faces", "jpg", [".jpg", ".json"])],
)  # fmt: skip
def test_a_format_that_fits_is_kept_to(
    server: Running, photo: Path, task: str, format: str, suffixes: list[str]
) -> None:
    asked = {"values": {"x": server.send(photo)}, "saving": {"format": format}}
    made = server.client.post(f"/v1/run/{task}", json=asked).json()
    assert [Path(each["name"]).suffix for each in made["files"]] == suffixes, made
    again = server.client.post(f"/v1/run/{task}", json=asked).json()
    assert again["files"] == made["files"]
    assert again["numbers"] == made["numbers"]


def test_the_format_of_a_chain_is_that_of_its_end(server: Running, photo: Path) -> None:
    """What is looked at on the way is drawn as it always is."""
    picture, steps = server.send(photo), [{"task": "find_faces"}, {"task": "colours"}, {"task": "flip"}]
    body = {"picture": picture, "steps": steps, "saving": {"format": "jpg"}}
    told = server.client.post("/v1/run", json=body).json()
    assert [Path(each["name"]).suffix for each in told["result"]["files"]] == [".jpg"], told
    assert {Path(each["name"]).suffix for each in told["steps"][0]["files"]} == {".png", ".json"}
    job = server.client.post("/v1/jobs", json={"pictures": [picture], "steps": steps, "saving": {"format": "jpg"}})
    done = server.until(job.json()["id"], "done", "failed")
    assert done["result"]["files"] == told["result"]["files"]

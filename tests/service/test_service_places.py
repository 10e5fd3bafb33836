"""No place of the server's machine is told: in no answer, no event, no file of a job, and no weights that were made."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serving import Running, running

from danqing.core.menu import PACKAGE

TRAINING = {"budget": "128pictures", "every": "64pictures", "size": 16, "skip_bad": True}


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """A set in two classes, one of whose pictures is none."""
    rng = np.random.default_rng(0)
    for name in ("owls", "wrens"):
        (tmp_path / "sets" / "birds" / name).mkdir(parents=True)
        for at in range(20):
            pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "sets" / "birds" / name / f"{at}.png")
    (tmp_path / "sets" / "birds" / "owls" / "broken.png").write_bytes(b"nothing")
    return tmp_path / "sets"


def told(server: Running, job: str) -> dict[str, bytes]:
    """All that is told of a job that has ended, by where it is told."""
    names = [each["name"] for each in server.client.get(f"/v1/jobs/{job}/files").json()["files"]]
    places = ["", "/result", "/log", "/files", "/zip", "/events", *(f"/files/{name}" for name in names)]
    found = {f"{job}{place}": server.client.get(f"/v1/jobs/{job}{place}").content for place in places}
    archive = zipfile.ZipFile(io.BytesIO(found.pop(f"{job}/zip")))
    assert set(names) <= set(archive.namelist())
    return {**found, **{f"{job}/zip/{name}": archive.read(name) for name in archive.namelist()}}


def betrayals(everything: dict[str, bytes], folder: Path) -> list[tuple[str, str]]:
    """Where a place is told, and what stands around it."""
    places = re.compile("|".join(re.escape(str(each)) for each in (folder, Path.home(), PACKAGE, os.getcwd())).encode())
    found = {name: places.search(content) for name, content in everything.items()}
    return [(name, repr(everything[name][max(0, at.start() - 60) : at.end() + 60])) for name, at in found.items() if at]


def ended(server: Running, state: str, **asked: Any) -> str:
    answer = server.client.post("/v1/jobs", json=asked)
    assert answer.status_code == 201, answer.text
    job = server.until(answer.json()["id"], "done", "failed", "cancelled")
    assert job["state"] == state, job["error"]
    return str(job["id"])


def test_no_place_of_the_server_is_told_by_what_is_made(tmp_path: Path, birds: Path, photo: Path) -> None:
    with running(tmp_path / "service", pictures=(birds,)) as server:
        bad = server.service.shelf.put(b"no picture", "bad.png")
        (data,) = [
            each["id"] for each in server.client.get("/v1/datasets").json()["datasets"] if each["name"] == "birds"
        ]
        chain = ended(
            server, "done", pictures=[server.send(photo), bad], steps=[{"task": "median", "values": {"radius": 1}}]
        )
        learned = ended(server, "done", task="train-mlpgan", values={"data": data, **TRAINING})
        refused = ended(server, "failed", task="train-mlpgan", values={"data": data, **TRAINING, "skip_bad": False})
        everything = {name: content for job in (chain, learned, refused) for name, content in told(server, job).items()}
        for place in ("/v1/jobs", "/v1/gallery", "/v1/models", "/v1/datasets", f"/v1/datasets/{data}", "/v1/about"):
            everything[place] = server.client.get(place).content
        (made,) = [
            each["id"] for each in server.client.get("/v1/models").json()["models"] if each["origin"] == "trained"
        ]
        everything["card"] = server.client.get(f"/v1/models/{made}").content
        everything["weights"] = server.client.get(f"/v1/models/{made}/file").content
    assert betrayals(everything, tmp_path) == []
    failed = json.loads(everything[f"{chain}/result"])["failed"]
    assert [each["problem"]["parameter"] for each in failed] == ["bad.png"]
    assert json.loads(everything[f"{learned}/files/config.json"])["data"] == "birds"
    assert json.loads(everything["card"])["card"]["data"]["source"] == "birds"


@pytest.mark.slow
def test_nor_by_a_task_that_writes_weights_and_pages(tmp_path: Path) -> None:
    with running(tmp_path / "service") as server:
        demo = ended(server, "done", task="demo", values={"budget": "64pictures"})
        everything = told(server, demo)
    assert any(name.endswith("out/report.html") for name in everything)
    assert any(name.endswith("out/model.safetensors") for name in everything)
    assert betrayals(everything, tmp_path) == []

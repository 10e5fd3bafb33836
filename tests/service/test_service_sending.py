"""Files go home and come back: whatever a task reads may be sent, by itself or as a part of a form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import imagecodecs
import numpy as np
import pytest
import torch
from serving import Running, running

from danqing.core.learned.cache import cached
from danqing.core.learned.card import bundled
from danqing.core.learned.kept import Directions, Latents
from danqing.core.learned.latent_space import LatentSpace
from danqing.core.learned.model import Painter
from danqing.core.pictures.film_writing import write_frames
from danqing.core.pictures.films import Frame
from danqing.core.pictures.reading import read
from danqing.core.recipe import Step
from danqing.faces.service import catalogue
from danqing.faces.service.sending import takes_file
from danqing.faces.service.shelf import picture_facts

PAINTER = "handwritten-digits"
RECIPE = [Step(operator="project", params={}, inputs=[], weights={}, take=None, saved={}, version=1)]


@pytest.fixture(scope="module")
def finds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of latents and directions as a client has them at home."""
    home, model = tmp_path_factory.mktemp("home"), cached(PAINTER, kind=Painter)
    assert isinstance(model, LatentSpace)
    drawn = torch.randn(2, *model.latent, generator=torch.Generator().manual_seed(3))
    codes = model.codes(drawn, torch.tensor([3, 8]))
    Latents.of(model, codes).write(home / "mine.latents", RECIPE, True)
    Directions.of(model, codes, names=["one", "two"]).write(home / "ways.directions", RECIPE, True)
    return home


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "short.mp4"
    write_frames((Frame(torch.full((1, 3, 32, 32), at / 4), None, 0.1) for at in range(4)), file, recipe=RECIPE)
    return file


def sent(server: Running, file: Path, name: str | None = None) -> httpx.Response:
    return server.client.post("/v1/files", content=file.read_bytes(), params={"name": name or file.name})


@pytest.mark.parametrize("name", ["mine.latents", "ways.directions"])
def test_what_was_found_comes_back_and_is_used_by_its_hash(server: Running, finds: Path, name: str) -> None:
    answer = sent(server, finds / name)
    assert answer.status_code == 201, answer.text
    (facts,) = answer.json()["files"]
    assert facts["name"] == name
    assert server.client.get(facts["url"]).content == (finds / name).read_bytes()
    nameless = server.client.post("/v1/files", content=(finds / name).read_bytes()).json()["files"][0]
    assert nameless["id"] == facts["id"]
    used = {"start": facts["id"]} if name == "mine.latents" else {"directions": facts["id"], "along": "two"}
    task = "more_like" if name == "mine.latents" else "steer"
    asked = {"values": {"weights": PAINTER, **used, **({"count": 2} if task == "more_like" else {"steps": 3})}}
    made = server.client.post(f"/v1/run/{task}", json=asked)
    assert made.status_code == 200, made.text
    assert made.json()["files"]


def test_files_of_every_kind_are_parts_of_a_form(server: Running, finds: Path) -> None:
    with open(finds / "ways.directions", "rb") as ways, open(finds / "mine.latents", "rb") as mine:
        parts = {"directions": ("ways.directions", ways), "start": ("mine.latents", mine)}
        data = {"weights": PAINTER, "along": "1", "steps": "3", "keep": "true", "saving": '{"columns": 3}'}
        answer = server.client.post("/v1/run/steer", files=parts, data=data)
    assert answer.status_code == 200, answer.text
    assert answer.json()["gallery"]
    steps = server.client.get(f"/v1/gallery/{answer.json()['gallery']}").json()["steps"]
    hashes = [sent(server, finds / name).json()["files"][0]["id"] for name in ("ways.directions", "mine.latents")]
    assert [steps[0]["values"][name] for name in ("directions", "start")] == hashes


def test_weights_are_a_part_of_a_form_and_latents_are_none(server: Running, finds: Path) -> None:
    digits = bundled()[PAINTER].read_bytes()
    made = server.client.post("/v1/run/generate", files={"weights": ("mine", digits)}, data={"count": "1"})
    assert made.status_code == 200, made.text
    before = server.client.get("/v1/models").json()
    wrong = {"weights": ("w.safetensors", (finds / "mine.latents").read_bytes())}
    answer = server.client.post("/v1/run/generate", files=wrong)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "weights")
    assert "holds latents" in answer.json()["detail"]
    assert server.client.get("/v1/models").json() == before


def test_boxes_and_labels_come_back(server: Running, photo: Path, tmp_path: Path) -> None:
    thing = {"label": "dog", "box": [5, 6, 30, 40], "score": 0.9}
    boxes = json.dumps({"numbers": {"width": 64, "height": 48, "things": [thing]}}).encode()
    parts = {"x": ("a.png", photo.read_bytes()), "boxes": ("found.json", boxes)}
    one = server.client.post("/v1/run/blur", files=parts)
    assert one.status_code == 200, one.text
    known = server.client.post("/v1/files", content=boxes).json()["files"][0]
    assert known["type"] == "application/json"
    values = {"x": server.send(photo), "boxes": known["id"]}
    again = server.client.post("/v1/run/blur", json={"values": values}).json()
    assert [each["id"] for each in again["files"]] == [each["id"] for each in one.json()["files"]]
    (tmp_path / "labels.csv").write_text("file,label\na.png,cat\n", "utf-8")
    table = sent(server, tmp_path / "labels.csv")
    assert (table.status_code, table.json()["files"][0]["name"]) == (201, "labels.csv")


def test_a_film_comes_back(server: Running, film: Path, photo: Path) -> None:
    facts = sent(server, film).json()["files"][0]
    assert (facts["type"], facts["name"]) == ("video/mp4", "short.mp4")
    shown = server.client.post("/v1/run/show", files={"file": ("short.mp4", film.read_bytes())}).json()
    assert shown["numbers"][0]["operator"] == "project"


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\x80\x04pickle", "x.latents"), (b"PK\x03\x04", "x.directions"), (b"\x10\0\0\0\0\0\0\0{}", "x.latents"),
     (b"{", "x.json"), (b"[" * 5000, "x.json"), (b"\0\0\0\x18ftypisom" + b"\0" * 90, "x.mp4"), (b"a\nb\n", "x.csv"),
     (b"<html>", "x.latents"), (b"#EXTM3U\nfile:///etc/passwd\n", "x.mp4"), (b"MZ" * 50, "x.exe")],
)  # fmt: skip
def test_what_is_none_of_these_is_refused_whatever_it_is_called(server: Running, content: bytes, name: str) -> None:
    answer = server.client.post("/v1/files", content=content, params={"name": name})
    assert (answer.status_code, answer.json().get("parameter")) == (422, name), answer.text
    assert not any(server.service.incoming.iterdir())


def test_what_is_sent_to_another_place_is_told_the_right_one(server: Running, finds: Path) -> None:
    for place in ("/v1/pictures", "/v1/models"):
        for name in ("mine.latents", "ways.directions"):
            answer = server.client.post(place, content=(finds / name).read_bytes(), params={"name": name, "lang": "zh"})
            assert answer.status_code == 422
            assert "/v1/files" in answer.json()["remedy"]
            assert answer.json()["remedy"].isascii() is False


def test_files_are_as_large_as_pictures_may_be(tmp_path: Path, finds: Path) -> None:
    size = (finds / "mine.latents").stat().st_size
    with running(tmp_path, limits={"upload_bytes": size, "json_bytes": 10}) as server:
        assert sent(server, finds / "mine.latents").status_code == 201
        for path in ("/v1/files", "/v1/pictures", "/v1/run/steer"):
            assert server.client.post(path, content=b"{" * (size + 1)).status_code == 413


def test_every_field_that_a_hash_may_stand_in_takes_a_file(server: Running) -> None:
    document = server.client.get("/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/run/"):
            continue
        content: dict[str, Any] = operations["post"]["requestBody"]["content"]
        form = content["multipart/form-data"]["schema"]["properties"]
        for each in catalogue.form_of(catalogue.task_of(path.removeprefix("/v1/run/"))):
            assert ('"binary"' in json.dumps(form[each.name])) == takes_file(each.kind), (path, each.name)


def test_a_field_that_takes_no_file_says_so(server: Running, photo: Path) -> None:
    parts = {"x": ("a.png", photo.read_bytes()), "radius": ("b.png", photo.read_bytes())}
    answer = server.client.post("/v1/run/median", files=parts)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "radius")
    wrong = server.client.post("/v1/run/median", files={"x": ("a.png", b"no picture")})
    assert (wrong.status_code, wrong.json()["parameter"]) == (422, "x")


@pytest.mark.parametrize(
    ("data", "parameter"),
    [({"keep": "perhaps"}, "keep"), ({"keep": "1"}, "keep"), ({"saving": "["}, "saving"), ({"saving": "[]"}, "saving"),
     ({"saving": "[" * 100_000}, "saving"), ({"saving": '{"format": ["png"]}'}, "format")],
)  # fmt: skip
def test_the_texts_of_a_form_are_read_as_strictly_as_json(
    server: Running, photo: Path, data: dict[str, str], parameter: str
) -> None:
    answer = server.client.post("/v1/run/median", files={"x": ("a.png", photo.read_bytes())}, data=data)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["parameter"] == parameter


@pytest.mark.parametrize(("bits", "depth"), [(8, 8), (10, 16), (12, 16)])
def test_the_depth_told_of_an_avif_is_that_read(bits: int, depth: int) -> None:
    words = np.full((24, 31, 3), 2**bits - 1, np.uint16 if bits > 8 else np.uint8)
    data = bytes(imagecodecs.avif_encode(words, bitspersample=bits))
    assert picture_facts(data)["depth"] == depth == read(data).depth

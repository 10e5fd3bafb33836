"""Everything is drawn from tasks, fields and artefacts: what Python does, the service does, also when refusing."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image
from serving import Running, running

from danqing.core import menu
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.errors import ParameterError
from danqing.core.menu import families, operators
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.recipe import to_json
from danqing.faces.service import catalogue
from danqing.faces.service.models import bases_of
from danqing.faces.service.sent_values import read_values


def test_every_operator_is_offered_with_its_form(server: Running) -> None:
    told = {each["name"]: each for each in server.client.get("/v1/tasks").json()["tasks"]}
    assert told.keys() >= operators().keys()
    assert {"train-dcgan", "data-check", "card"} <= told.keys()
    assert told.keys().isdisjoint({"serve", "studio", "data-convert"})  # for the person at this machine alone
    for name in operators():
        fields = {each["name"]: each for each in told[name]["fields"]}
        assert list(fields) == [each.name for each in operator_named(name).fields]
        assert told[name]["schema"]["required"] == [each.name for each in operator_named(name).fields if each.required]
    radius = next(each for each in told["median"]["fields"] if each["name"] == "radius")
    assert (radius["widget"], radius["low"], radius["high"], radius["unit"]) == ("slider", 1, 15, "px")


def test_told_briefly_there_is_what_a_page_draws(server: Running) -> None:
    whole, brief = (server.client.get(f"/v1/tasks{query}") for query in ("", "?brief=1"))
    assert len(brief.content) < 0.6 * len(whole.content)
    for one, other in zip(whole.json()["tasks"], brief.json()["tasks"], strict=True):
        assert other["summary"] == one["summary"]
        assert [each["words"] for each in other["fields"]] == [each["words"] for each in one["fields"]]


def test_a_picture_is_kept_byte_for_byte_and_told_of(server: Running, tmp_path: Path) -> None:
    photo = write(torch.full((1, 3, 48, 64), 0.3), tmp_path / "熊猫 grey.png")  # bytes that no other test sends
    name = server.send(photo)
    assert server.client.get(f"/v1/pictures/{name}").content == photo.read_bytes()
    facts = server.client.get(f"/v1/pictures/{name}/facts").json()
    assert (facts["name"], facts["width"], facts["height"], facts["depth"]) == (photo.name, 64, 48, 8)


def test_the_service_makes_what_python_makes(server: Running, photo: Path) -> None:
    name = server.send(photo)
    result = server.client.post("/v1/run/median", json={"values": {"x": name, "radius": 2}}).json()
    made = server.client.get(result["files"][0]["url"]).content
    expected = operator_named("median")(read(photo).pixels, radius=2)
    assert read(made).pixels.equal((expected * 255 + 0.5).floor() / 255)
    whole = server.client.post(
        "/v1/run/median", json={"values": {"x": name, "radius": "2"}}, headers={"Accept": "image/*"}
    )
    assert whole.headers["content-type"] == "image/png"
    assert whole.content == made


def test_a_form_works_as_well(server: Running, photo: Path) -> None:
    with open(photo, "rb") as stream:
        files = {"x": ("a.png", stream, "image/png")}
        answer = server.client.post("/v1/run/median", files=files, data={"radius": "2"}, headers={"Accept": "image/*"})
    expected = operator_named("median")(read(photo).pixels, radius=2)
    assert read(answer.content).pixels.equal((expected * 255 + 0.5).floor() / 255)


def test_sixteen_bits_and_transparency_never_pass_a_canvas(server: Running, tmp_path: Path) -> None:
    x = torch.rand(1, 3, 20, 30, generator=torch.Generator().manual_seed(1))
    picture = read(write(x, tmp_path / "deep.png", depth=16))
    picture.alpha = torch.rand(1, 1, 20, 30, generator=torch.Generator().manual_seed(2))
    file = write(picture, tmp_path / "clear.png", depth=16)
    name = server.send(file)
    facts = server.client.get(f"/v1/pictures/{name}/facts").json()
    assert (facts["depth"], facts["alpha"]) == (16, True)
    result = server.client.post("/v1/run/flip", json={"values": {"x": name}}).json()
    back = server.client.post("/v1/run/flip", json={"values": {"x": result["files"][0]["id"]}}).json()
    made, first = read(server.client.get(back["files"][0]["url"]).content), read(file)
    assert made.depth == 16
    assert made.alpha is not None
    assert first.alpha is not None
    assert made.pixels.equal(first.pixels)
    assert made.alpha.equal(first.alpha)


def test_numbers_come_with_their_pictures(server: Running, photo: Path) -> None:
    name = server.send(photo)
    result = server.client.post("/v1/run/sharpness", json={"values": {"x": name}}).json()
    assert result["numbers"] == operator_named("sharpness")(read(photo).pixels).told()


@pytest.mark.parametrize(
    ("values", "parameter"),
    [({"radius": 99}, "radius"), ({"radius": "three"}, "radius"), ({"nothing": 1}, "nothing"), ({"x": "0" * 64}, "x"),
     ({"x": "../../etc/passwd"}, "x"), ({"x": 3}, "x"), ({"x": None}, "x"), ({"radius": True}, "radius")],
)  # fmt: skip
def test_what_python_refuses_is_refused_by_name(
    server: Running, photo: Path, values: dict[str, object], parameter: str
) -> None:
    answer = server.client.post("/v1/run/median", json={"values": {"x": server.send(photo), **values}})
    told = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["parameter"] == parameter
    assert told["type"] == "urn:danqing:problem:parameter"
    assert told["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("place", ["/etc/passwd", "../net.pth", "./net"])
def test_a_net_is_named_or_sent_and_never_a_place_of_the_server(server: Running, photo: Path, place: str) -> None:
    name = server.send(photo)
    answer = server.client.post(
        "/v1/jobs", json={"task": "neural_style", "values": {"x": [name], "style": name, "backbone": place}}
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["parameter"] == "backbone"


def test_refusals_say_what_python_says(server: Running, photo: Path) -> None:
    answer = server.client.post("/v1/run/median", json={"values": {"x": server.send(photo), "radius": 99}})
    with pytest.raises(ParameterError) as refused:
        operator_named("median")(read(photo).pixels, radius=99)
    assert answer.json()["detail"] == refused.value.what


def test_no_place_of_the_server_is_told(server: Running, photo: Path) -> None:
    name = server.send(photo)
    result = server.client.post("/v1/run/median", json={"values": {"x": name}})
    file = server.service.shelf.file(result.json()["files"][0]["id"])
    card = server.client.post("/v1/run/card", json={"values": {"model": "digits"}})
    for text in (result.text, card.text, to_json(recipe_in(file) or [])):
        assert str(server.service.folder) not in text
        assert str(menu.PACKAGE) not in text


def test_seeds_beyond_javascript_travel_as_text(server: Running) -> None:
    seed = str(2**62 + 1)
    task = catalogue.task_of("add_noise")
    assert read_values(task, {"x": "0" * 64, "seed": seed})["seed"] == 2**62 + 1
    server.service.gallery.add({"task": "add_noise", "files": [], "steps": [{"values": {"seed": 2**62 + 1}}]})
    item = server.client.get("/v1/gallery?limit=1").json()["items"][0]
    assert item["steps"][0]["values"]["seed"] == seed


def test_an_operator_file_that_is_dropped_in_is_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Path
) -> None:
    (tmp_path / "lent" / "edit").mkdir(parents=True)
    (tmp_path / "lent" / "__init__.py").touch()
    (tmp_path / "lent" / "edit" / "__init__.py").touch()
    (tmp_path / "lent" / "edit" / "negative.py").write_text(NEGATIVE)
    monkeypatch.syspath_prepend(tmp_path)
    known = menu.roots()
    monkeypatch.setattr(menu, "roots", lambda: (*known, menu.Root(tmp_path / "lent", "lent")))
    remembered = (menu.operators, catalogue.tasks_in)
    for each in remembered:
        each.cache_clear()
    try:
        with running(tmp_path / "folder") as server:
            told = server.client.get("/v1/tasks/negative").json()
            assert (told.get("group"), told.get("summary")) == ("edit", "Turn light into dark."), told
            document = server.client.get("/v1/openapi.json").json()
            body = document["paths"]["/v1/run/negative"]["post"]["requestBody"]["content"]["application/json"]
            assert body["schema"]["properties"]["values"]["required"] == ["x"]
            x = server.send(photo)
            made = server.client.post("/v1/run/negative", json={"values": {"x": x}}, headers={"Accept": "image/*"})
            assert (read(made.content).pixels + read(photo).pixels - 1).abs().max() <= 2**-22
    finally:
        monkeypatch.undo()
        for each in remembered:
            each.cache_clear()
        for name in [name for name in sys.modules if name.partition(".")[0] == "lent"]:
            del sys.modules[name]


NEGATIVE = '''"""The operator negative."""

from typing import Annotated

from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images


@operator(reach=0)
def negative(x: Images, strength: Annotated[float, Range(0, 1)] = 1.0) -> Images:
    """Turn light into dark.

    Args:
        x: pictures.
        strength: how much of it.

    Returns:
        The same shape.

    Source: danqing.
    """
    return x + strength * (1 - 2 * x)
'''


def test_a_zipped_gallery_holds_what_was_kept(server: Running, photo: Path) -> None:
    name = server.send(photo)
    result = server.client.post("/v1/run/flip", json={"values": {"x": name}, "keep": True}).json()
    answer = server.client.get("/v1/gallery/zip", params={"items": result["gallery"]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (only,) = archive.namelist()
        assert archive.read(only) == server.client.get(result["files"][0]["url"]).content
    assert server.client.delete(f"/v1/gallery/{result['gallery']}").status_code == 204
    assert server.client.delete(f"/v1/gallery/{result['gallery']}").status_code == 404


def test_a_set_is_composed_as_a_job(server: Running) -> None:
    values = {"digits": True, "count": 2, "width": 48, "height": 48, "labels": "voc", "seed": 5}
    job = server.client.post("/v1/jobs", json={"task": "data-compose", "values": values}).json()
    done = server.until(job["id"], "done", "failed")
    assert done["state"] == "done", done["error"]
    names = {each["name"] for each in server.client.get(f"/v1/jobs/{job['id']}/files").json()["files"]}
    assert {"out/pictures/000000.png", "out/labels/000001.xml"} <= names
    nothing = {"task": "data-compose", "values": {"count": 2}}
    refused = server.until(server.client.post("/v1/jobs", json=nothing).json()["id"], "done", "failed")
    assert refused["state"] == "failed"
    assert "nothing to lay on" in str(refused)


@pytest.mark.slow
def test_what_was_composed_is_a_set_that_a_detector_learns_from(server: Running) -> None:
    """Its labels lie beside the pictures, in the zip as on the disk."""
    values = {"digits": True, "count": 8, "width": 48, "height": 48, "labels": "yolo", "smallest": 0.5}
    job = server.client.post("/v1/jobs", json={"task": "data-compose", "values": values, "title": "signs"}).json()
    done = server.until(job["id"], "done", "failed")
    assert done["state"] == "done", done["error"]
    answer = server.client.post(f"/v1/jobs/{job['id']}/dataset", json={})
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert (kept["name"], kept["pictures"], kept["classes"]) == ("signs.zip", 8, {})
    shown = server.client.get(f"/v1/datasets/{kept['id']}/pictures").json()
    assert [each["name"] for each in shown["pictures"]] == [f"pictures/{at:06}.png" for at in range(8)]
    assert server.client.post(f"/v1/jobs/{job['id']}/dataset", json={}).json()["id"] == kept["id"]
    small = {"backbone": "mobilenet", "size": 32, "budget": "16pictures", "every": "100%", "batch": 8, "threads": 1}
    asked = {"task": "train-detector", "values": {"data": kept["id"], **small}}
    done = server.until(server.client.post("/v1/jobs", json=asked).json()["id"], "done", "failed")
    assert done["state"] == "done", done["error"]
    again = server.client.post(f"/v1/jobs/{done['id']}/dataset", json={})
    assert (again.status_code, again.json()["detail"]) == (409, "this job made no set of pictures")


def test_pictures_of_a_folder_are_told_by_their_names_in_it(tmp_path: Path, photo: Path) -> None:
    """A page looks them up by these; where the folder lies is told to nobody."""
    folder = tmp_path / "mine" / "all of them"
    (folder / "by the sea").mkdir(parents=True)
    (folder / "by the sea" / "one.png").write_bytes(photo.read_bytes())
    with running(tmp_path / "data", pictures=(folder.parent,)) as server:
        (name,) = [
            each["id"] for each in server.client.get("/v1/datasets").json()["datasets"] if each["origin"] == "folder"
        ]
        asked = {"task": "data-label_next", "values": {"pictures": name, "weights": "digits", "count": 1}}
        done = server.until(server.client.post("/v1/jobs", json=asked).json()["id"], "done", "failed")
        assert done["state"] == "done", done["error"]
        (row,) = done["result"]["numbers"]
        assert row["picture"] == "by the sea/one.png"
        assert server.client.get(f"/v1/datasets/{name}/pictures/{row['picture']}").status_code == 200


def test_a_model_tells_all_that_it_can_be_taken_for(server: Running) -> None:
    known = {each["id"]: set(each["bases"]) for each in server.client.get("/v1/models").json()["models"]}
    assert {"Recogniser", "Viewer", "Model"} <= known["digits"]
    assert {"Translator", "Model"} <= known["print-to-kai"]
    assert not known["print-to-kai"] & {"Painter", "Viewer"}
    wanted = {each["model"]["base"] for task in server.client.get("/v1/tasks").json()["tasks"]
              for each in task["fields"] if "model" in each}  # fmt: skip
    assert wanted <= {base for family in families() for base in bases_of(family)}


@pytest.mark.slow
def test_a_model_is_exported_as_a_job_whose_file_can_be_had(server: Running) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    job = server.client.post("/v1/jobs", json={"task": "export", "values": {"weights": "digits"}}).json()
    done = server.until(job["id"], "done", "failed")
    assert done["state"] == "done", done["error"]
    (file,) = server.client.get(f"/v1/jobs/{job['id']}/files").json()["files"]
    assert file["name"] == "out/digits.onnx"
    assert len(server.client.get(file["url"]).content) == file["bytes"] > 100_000


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"in here/{name}.png", content)
    return out.getvalue()


def test_a_set_that_was_sent_may_stand_wherever_a_folder_may(server: Running, photo: Path) -> None:
    other = io.BytesIO()
    Image.new("RGB", (64, 64), (10, 200, 90)).save(other, "PNG")
    sent = zipped(one=photo.read_bytes(), two=other.getvalue())
    place = server.client.post("/v1/datasets", params={"name": "loose.zip"}, content=sent).json()["id"]
    asked = {"task": "data-label_next", "values": {"pictures": place, "weights": "digits", "count": 1}}
    done = server.until(server.client.post("/v1/jobs", json=asked).json()["id"], "done", "failed")
    assert done["state"] == "done", done["error"]
    assert done["result"]["numbers"][0]["picture"] in ("in here/one.png", "in here/two.png")
    values = {"digits": True, "count": 1, "width": 48, "height": 48, "backgrounds": place}
    done = server.until(
        server.client.post("/v1/jobs", json={"task": "data-compose", "values": values}).json()["id"], "done", "failed"
    )
    assert done["state"] == "done", done["error"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("grad-cam", "Did you mean grad_cam?"),
        ("data-label-next", "Did you mean data-label_next?"),
        ("train-dcgann", "Did you mean train-dcgan?"),
        ("qqqqqq", "GET /v1/tasks lists them all"),
    ],
)
def test_a_task_that_is_not_there_is_told_with_the_one_that_may_be_meant(
    server: Running, name: str, remedy: str
) -> None:
    for answer in (server.client.get(f"/v1/tasks/{name}"), server.client.post(f"/v1/run/{name}", json={})):
        assert (answer.status_code, answer.json()["remedy"]) == (404, remedy)


@pytest.mark.parametrize("name", ["budget", "every"])
@pytest.mark.parametrize("budget", ["soon", "", "0m", "-3m", "10"])
def test_a_training_with_no_budget_that_there_is_does_not_wait_to_fail(server: Running, budget: str, name: str) -> None:
    asked = {"task": "train-mlpgan", "values": {"data": "digits", name: budget}}
    refused = server.client.post("/v1/jobs", json=asked)
    assert (refused.status_code, refused.json()["parameter"]) == (422, name)


@pytest.mark.parametrize("task", ["edges", "repair"])
def test_a_picture_that_comes_with_numbers_names_its_task_once(server: Running, photo: Path, task: str) -> None:
    files = server.client.post(f"/v1/run/{task}", json={"values": {"x": server.send(photo)}}).json()["files"]
    assert {each["name"] for each in files} == {f"{photo.stem}-{task}.png", f"{photo.stem}-{task}.json"}


def test_a_picture_cut_short_is_told_in_the_language_of_the_client(server: Running, photo: Path) -> None:
    out = io.BytesIO()
    Image.open(photo).convert("RGB").save(out, "JPEG")
    half = out.getvalue()[: len(out.getvalue()) // 2]
    asked = {"content": half, "params": {"name": "half.jpg"}, "headers": {"Accept-Language": "zh"}}
    assert server.client.post("/v1/pictures", **asked).json()["detail"] == "是不完整的 JPEG"

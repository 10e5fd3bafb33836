"""Chains, recipes and replays: what was done is done again, and what fails says where."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from serving import Running
from websockets.sync.client import ClientConnection, connect

from danqing.core.operators.operator import operator_named
from danqing.core.pictures.reading import read
from danqing.core.progress import finish
from danqing.core.runs.replay import replay
from danqing.faces.service.chains import chain_of, recipe_of

STEPS = [
    {"task": "median", "values": {"radius": 1}},
    {"task": "vignette", "values": {"strength": 0.5}},
    {"task": "flip"},
]


@pytest.fixture
def line(server: Running) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{server.port}/v1/live", max_size=None) as made:
        yield made


def chain(server: Running, picture: str | None, steps: list[dict[str, object]], **more: object) -> dict[str, object]:
    answer = server.client.post("/v1/run", json={"picture": picture, "steps": steps, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def test_a_chain_is_its_steps_one_after_the_other(server: Running, photo: Path) -> None:
    name = server.send(photo)
    told = chain(server, name, STEPS)
    current = name
    for step, result in zip(STEPS, told["steps"], strict=True):
        values = {"x": current, **step.get("values", {})}
        one = server.client.post(f"/v1/run/{step['task']}", json={"values": values}).json()
        assert one["files"] == result["files"]
        current = one["files"][0]["id"]
    assert told["result"]["files"][0]["id"] == current


def test_steps_that_are_off_are_left_out_and_what_was_done_is_found_again(server: Running, photo: Path) -> None:
    name = server.send(photo)
    first = chain(server, name, STEPS)
    off = chain(server, name, [STEPS[0], {**STEPS[1], "on": False}, STEPS[2]])
    assert off["steps"][1] == {"task": "vignette", "state": "off"}
    without = chain(server, name, [STEPS[0], STEPS[2]])
    assert off["result"]["files"] == without["result"]["files"]
    again = chain(server, name, STEPS)
    assert [each["state"] for each in again["steps"]] == ["skipped"] * 3
    assert again["result"]["files"] == first["result"]["files"]


def test_what_a_chain_made_is_made_again_at_home_from_the_photograph_beside_it(
    server: Running, photo: Path, tmp_path: Path
) -> None:
    (file,) = chain(server, server.send(photo), STEPS)["result"]["files"]  # type: ignore[index]
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(photo, home)
    taken = home / file["name"]
    taken.write_bytes(server.client.get(file["url"]).content)
    assert finish(replay(taken)).identical


def test_a_step_that_looks_at_the_picture_hands_it_on_as_it_is(server: Running, photo: Path) -> None:
    """Boxes are drawn into a copy for the eye: what follows works on the picture itself."""
    name = server.send(photo)
    told = chain(server, name, [{"task": "find_faces"}, {"task": "flip"}])
    assert told["result"]["files"] == chain(server, name, [{"task": "flip"}])["result"]["files"]


def test_a_step_that_mends_the_picture_hands_on_what_it_mended(server: Running, photo: Path, tmp_path: Path) -> None:
    """`repair` tells figures, too; what it mended was once thrown away by the step after it, and not kept."""
    name = server.send(photo)
    mending = {"task": "repair", "values": {"always": "blur", "never": "noise"}}
    told = chain(server, name, [mending, {"task": "flip"}])
    repaired = told["steps"][0]["files"][0]["id"]
    assert told["result"]["files"] == chain(server, repaired, [{"task": "flip"}])["result"]["files"]
    assert told["result"]["files"] != chain(server, name, [{"task": "flip"}])["result"]["files"]
    assert chain(server, name, [mending])["result"]["files"][0]["id"] == repaired


def test_a_chain_whose_third_step_fails_keeps_the_first_two(server: Running, photo: Path) -> None:
    name = server.send(photo)
    steps = [*STEPS[:2], {"task": "crop", "values": {"left": 0, "top": 0, "width": 9999, "height": 9}}]
    answer = server.client.post("/v1/run", json={"picture": name, "steps": steps})
    told = answer.json()
    assert (answer.status_code, told["step"]) == (422, 3)
    assert [each["task"] for each in told["done"]] == ["median", "vignette"]
    for each in told["done"]:
        assert server.client.get(each["files"][0]["url"]).status_code == 200


def test_a_step_that_cannot_be_is_named_before_anything_is_done(server: Running, photo: Path) -> None:
    steps = [STEPS[0], {"task": "median", "values": {"radius": 99}}]
    told = server.client.post("/v1/run", json={"picture": server.send(photo), "steps": steps}).json()
    assert (told["step"], told["parameter"]) == (2, "radius")
    assert "done" not in told
    training = server.client.post("/v1/run", json={"steps": [{"task": "train-dcgan", "values": {}}]}).json()
    assert (training["step"], training["parameter"]) == (1, "train-dcgan")


PATTERN = {"task": "noise_pattern", "values": {"width": 32, "height": 24}}


@pytest.mark.parametrize("name", ["noise_pattern", "card", "morph_classes"])
def test_a_step_that_would_throw_a_picture_away_is_refused(
    server: Running, photo: Path, name: str, line: ClientConnection
) -> None:
    """A painter in the middle once made the chain before it worth nothing, and nobody said so."""
    picture, step = server.send(photo), {"task": name, "values": {}}
    for steps in ([{"task": "flip"}, step], [step], [{"task": "flip", "on": False}, step]):
        for path, body in (("/v1/run", {"picture": picture}), ("/v1/jobs", {"pictures": [picture]})):
            told = server.client.post(path, json={**body, "steps": steps}).json()
            assert (told["status"], told["parameter"]) == (422, name), told
            assert told["detail"] == "takes no picture: what comes before it would be lost"
            assert told["step"] == len(steps)
            assert "done" not in told
    line.send(json.dumps({"picture": picture, "steps": [{"task": "flip"}, step]}))
    assert json.loads(line.recv())["problem"]["parameter"] == name
    line.send(json.dumps({"picture": picture, "task": "noise_pattern", "values": PATTERN["values"]}))
    assert json.loads(line.recv())["problem"]["parameter"] == "picture"


def test_a_painter_begins_a_chain_and_may_be_off_in_it(server: Running, photo: Path) -> None:
    (made,) = chain(server, None, [PATTERN])["result"]["files"]  # type: ignore[index]
    whole = chain(server, None, [PATTERN, {"task": "flip"}])
    assert whole["result"]["files"] == chain(server, made["id"], [{"task": "flip"}])["result"]["files"]  # type: ignore[index]
    name = server.send(photo)
    off = chain(server, name, [{"task": "flip"}, {**PATTERN, "on": False}])
    assert off["result"]["files"] == chain(server, name, [{"task": "flip"}])["result"]["files"]  # type: ignore[index]


def test_a_step_works_on_what_comes_before_it_and_on_no_other_picture(server: Running, photo: Path) -> None:
    name, other = server.send(photo), chain(server, None, [PATTERN])["result"]["files"][0]["id"]  # type: ignore[index]
    expected = chain(server, name, [{"task": "flip"}])["result"]["files"]  # type: ignore[index]
    own = {"task": "flip", "values": {"x": name}}
    assert chain(server, name, [own])["result"]["files"] == expected  # type: ignore[index]
    assert chain(server, None, [own])["result"]["files"] == expected  # type: ignore[index]
    for picture, steps, step in ((other, [own], 1), (name, [STEPS[0], own], 2), (None, [PATTERN, own], 2)):
        told = server.client.post("/v1/run", json={"picture": picture, "steps": steps}).json()
        assert (told["status"], told["parameter"], told["step"]) == (422, "x", step)


def test_a_recipe_is_a_chain_and_a_replay_is_the_same_bit_for_bit(server: Running, photo: Path) -> None:
    name = server.send(photo)
    made = chain(server, name, STEPS)["result"]["files"][0]["id"]
    recipe = server.client.get(f"/v1/pictures/{made}/recipe").json()
    assert recipe["picture"] == name
    assert recipe["replayable"]
    assert [each["task"] for each in recipe["steps"]] == ["median", "vignette", "flip"]
    assert chain(server, recipe["picture"], recipe["steps"])["result"]["files"][0]["id"] == made
    replayed = server.client.post("/v1/replay", json={"picture": made}).json()
    assert replayed["identical"]


@pytest.mark.parametrize(
    ("task", "values", "suffixes"),
    [
        ("find_directions", {"weights": "handwritten-digits", "count": 2}, {".directions", ".png"}),
        ("sharpness", None, {".json", ".png"}),
        ("find_faces", None, {".json", ".png"}),
    ],
)
def test_every_file_of_what_was_found_is_replayed(
    task: str, values: dict[str, object] | None, suffixes: set[str], server: Running, photo: Path
) -> None:
    picture = server.send(photo) if values is None else None
    files = chain(server, picture, [{"task": task, "values": values or {}}])["result"]["files"]
    assert {Path(each["name"]).suffix for each in files} == suffixes
    for each in files:
        told = server.client.post("/v1/replay", json={"picture": each["id"]})
        assert told.status_code == 200, told.text
        assert told.json()["identical"]


def test_a_mask_and_two_pictures_are_in_the_recipe(server: Running, photo: Path, tmp_path: Path) -> None:
    import torch

    from danqing.core.pictures.writing import write

    mask = server.send(write((torch.rand(1, 1, 48, 64) > 0.9).float(), tmp_path / "mask.png"))
    name = server.send(photo)
    result = server.client.post("/v1/run/inpaint", json={"values": {"x": name, "mask": mask}}).json()
    made = result["files"][0]["id"]
    recipe = server.client.get(f"/v1/pictures/{made}/recipe").json()
    assert {each["id"] for each in recipe["inputs"]} == {name, mask, "inpaint-small"}
    assert recipe["steps"][0]["values"]["mask"] == mask
    expected = operator_named("inpaint")(read(photo).pixels, read(tmp_path / "mask.png").pixels)
    assert (
        read(server.client.get(result["files"][0]["url"]).content).pixels.sub(expected).abs().max()
        <= 0.5 / 255 + 2**-22
    )


def test_a_replay_without_what_it_was_made_from_says_so(server: Running, photo: Path) -> None:
    name = server.send(photo, "lost.png")
    made = chain(server, name, STEPS[:1])["result"]["files"][0]["id"]
    assert server.client.get(f"/v1/pictures/{made}/recipe").json()["replayable"]
    file = server.service.shelf.file(name)
    aside = file.rename(file.with_name(".aside"))
    try:
        answer = server.client.post("/v1/replay", json={"picture": made})
        assert (answer.status_code, answer.json()["parameter"]) == (409, file.name)
    finally:
        aside.rename(file)


def test_a_replay_with_another_operator_made_use_of_says_so(server: Running, photo: Path) -> None:
    name = server.send(photo)
    made = chain(server, name, [{"task": "find_faces"}])["result"]["files"][-1]["id"]
    (step,) = recipe_of(server.service.shelf.file(made))
    assert chain_of([step], server.service.shelf, {}).is_replayable
    other = replace(step, uses={"flip": {"version": "99"}})
    told = chain_of([other], server.service.shelf, {})
    assert not told.is_replayable
    assert [each["name"] for each in told.inputs if not each["here"]] == ["flip"]


def test_a_picture_without_a_recipe_has_none(server: Running, photo: Path) -> None:
    assert server.client.get(f"/v1/pictures/{server.send(photo)}/recipe").status_code == 404


def test_results_are_kept_with_the_steps_that_made_them(server: Running, photo: Path) -> None:
    name = server.send(photo)
    kept = chain(server, name, STEPS, keep=True)["result"]
    item = server.client.get(f"/v1/gallery/{kept['gallery']}").json()
    assert item["picture"] == name
    assert [each["task"] for each in item["steps"]] == ["median", "vignette", "flip"]
    again = chain(server, item["picture"], item["steps"])
    assert again["result"]["files"] == kept["files"]
    by_file = server.client.post("/v1/gallery", json={"files": [kept["files"][0]["id"]]}).json()
    assert by_file["picture"] == name
    assert [each["task"] for each in by_file["steps"]] == ["median", "vignette", "flip"]

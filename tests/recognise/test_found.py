"""What is found is drawn in, written down, read again and used; also when it is nothing, or wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from skimage import data

import danqing
from danqing.core.artefacts.boxes import Boxes
from danqing.core.errors import ParameterError, PictureError
from danqing.core.fields.boxes import BoxesKind
from danqing.core.menu import operators
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.found import Found, Spot, Thing, from_json, from_run_lengths, run_lengths, to_json
from danqing.faces.cli import cli

GOOD: dict[str, Any] = {"width": 40, "height": 30, "things": [{"label": "dog", "box": [2, 3, 20, 25], "score": 0.5}]}


def astronaut() -> torch.Tensor:
    return torch.from_numpy(data.astronaut().astype(np.float32) / 255).permute(2, 0, 1)[None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("found")
    Image.fromarray(data.astronaut()).save(home / "photo.png")
    Image.fromarray(data.coffee()[:200, :200]).save(home / "wood.png")
    return home


def tell(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def run(*words: object) -> int:
    return tell(*words).exit_code


# ---------------------------------------------------------------- as JSON and back


def test_what_is_written_comes_back() -> None:
    mask = torch.rand(30, 40, generator=torch.Generator().manual_seed(0)) < 0.5
    thing = Thing("猫", (1.5, 2.25, 20.0, 29.0), 0.25, (Spot("nose", 3.5, 4.5, 0.75),), mask)
    again = from_json(json.loads(json.dumps(to_json(Found(40, 30, (thing,))))))
    assert again.things[0]._replace(mask=None) == thing._replace(mask=None)
    assert torch.equal(again.things[0].mask, mask)


@pytest.mark.parametrize("mask", [torch.zeros(3, 4), torch.ones(3, 4), torch.eye(3, 4), torch.eye(3, 4) == 0])
def test_run_lengths_are_those_of_coco(mask: torch.Tensor) -> None:
    told = run_lengths(mask.bool())
    flat = [bit for bit, count in enumerate(told["counts"]) for _ in range(count)]
    assert [bit % 2 for bit in flat] == mask.T.reshape(-1).int().tolist()
    assert torch.equal(from_run_lengths(told, 3, 4), mask.bool())


@pytest.mark.parametrize(
    ("change", "words"),
    [({"box": [50, 0, 60, 9]}, "outside"), ({"box": [5, 5, 5, 9]}, "no area"), ({"box": [1, 2, 3]}, "four numbers"),
     ({"box": [float("nan"), 0, 4, 4]}, "four numbers"), ({"score": 2}, "between 0 and 1"), ({"label": 3}, "label"),
     ({"mask": {"size": [3, 3], "counts": [9]}}, "does not fit"), ({"points": [{"x": 1}]}, "point"),
     ({"points": 5}, "point"), ({"points": None}, "point"),
     ({"points": [{"name": "eye", "x": 1, "y": 1, "score": 5}]}, "point")],
)  # fmt: skip
def test_a_wrong_thing_is_named(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    second = {**GOOD["things"][0], **change}
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps({**GOOD, "things": [GOOD["things"][0], second]}))
    with pytest.raises(PictureError, match=rf"boxes\.json.*thing 2.*{words}"):
        BoxesKind().load(file, None)


def test_a_box_is_cut_off_at_the_border() -> None:
    thing = {"label": "dog", "box": [-5, 3, 99, 25]}
    assert from_json({**GOOD, "things": [thing]}).things[0].box == (0, 3, 40, 25)


@pytest.mark.parametrize("name", ["blur", "crop", "select", "remove", "replace", "background"])
def test_what_is_said_to_write_boxes_is_in_the_menu(name: str) -> None:
    words = next(field.words for field in operator_named(name).form if field.name == "boxes")
    (writers,) = re.findall(r", as (.+?) write", words)
    assert set(re.split(r", | or ", writers)) <= set(operators())


@pytest.mark.parametrize("name", ["blur", "crop", "select", "remove", "background"])
def test_labels_without_boxes_are_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="which of the boxes are meant") as caught:
        getattr(danqing, name)(torch.rand(1, 3, 30, 40), only="face")
    assert caught.value.where == "only"


def test_what_covers_the_whole_picture_is_called_by_its_name() -> None:
    x = torch.rand(1, 3, 30, 40)
    everything = {"boxes": Found(40, 30, (Thing("wall", (0, 0, 40, 30)),)), "box": "0,0,40,30"}
    for name, value in {**everything, "mask": torch.ones(1, 1, 30, 40)}.items():
        with pytest.raises(ParameterError, match="covers the whole picture") as caught:
            danqing.remove(x, whole=True, **{name: value})
        assert caught.value.where == name


def test_a_box_made_in_python_is_cut_off_like_one_from_a_file() -> None:
    x = torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(2))
    within, beyond = (Found(40, 30, (Thing("face", box),)) for box in ((0.0, 0, 12, 10), (-9.0, -7, 12, 10)))
    assert torch.equal(danqing.blur(x, boxes=within), danqing.blur(x, boxes=beyond))
    assert not torch.equal(danqing.blur(x, boxes=within), x)


@pytest.mark.parametrize(
    "thing",
    [Thing("face", (50, 0, 60, 9)), Thing("face", (5, 5, 5, 9)), Thing("face", (-9, 0, -2, 9)),
     Thing("face", (1, 1, 9, 9), mask=torch.ones(3, 3, dtype=torch.bool))],
)  # fmt: skip
@pytest.mark.parametrize("name", ["blur", "select", "crop"])
def test_a_thing_made_in_python_that_does_not_fit_is_refused(name: str, thing: Thing) -> None:
    with pytest.raises(ParameterError, match="face") as caught:
        getattr(danqing, name)(torch.rand(1, 3, 30, 40), boxes=Found(40, 30, (thing,)))
    assert caught.value.where == "boxes"


def test_boxes_of_another_picture_are_refused() -> None:
    with pytest.raises(ParameterError, match="40×30 px, not of 31×24 px"):
        danqing.blur(torch.rand(1, 3, 24, 31), boxes=from_json(GOOD))


# ---------------------------------------------------------------- the nets find what is there


def test_a_person_and_her_face_are_found() -> None:
    found = danqing.detect(astronaut()).found[0]
    assert found.things[0].label == "person"
    (face,) = danqing.find_faces(astronaut()).found[0].things
    left, top, right, bottom = face.box
    assert 165 < left < 195
    assert 55 < top < 85
    assert 250 < right < 285
    assert 165 < bottom < 200
    assert all(left < spot.x < right and top < spot.y < bottom for spot in face.points)
    eyes = {spot.name: spot.x for spot in face.points}
    assert eyes["right eye"] < eyes["nose"] < eyes["left eye"]


def test_a_body_has_its_points_where_they_are() -> None:
    (person,) = danqing.pose(astronaut()).found[0].things
    spots = {spot.name: spot for spot in person.points}
    assert len(spots) == 33
    assert spots["right shoulder"].x < spots["nose"].x < spots["left shoulder"].x
    assert spots["nose"].y < spots["left shoulder"].y


def test_persons_that_others_found_are_persons_however_they_are_spelt() -> None:
    found = Found(512, 512, (Thing("Person", (15, 14, 364, 508)), Thing("flag", (0, 0, 90, 200))))
    (person,) = danqing.pose(astronaut(), boxes=found).found[0].things
    assert person.label == "person"
    assert len(person.points) == 33


def test_a_person_is_cut_out() -> None:
    mask = danqing.cutout(astronaut())[0, 0]
    assert float(mask[100:150, 200:250].mean()) > 0.95
    assert float(mask[:100, 400:].mean()) < 0.05


def test_a_cat_is_no_person_and_a_face_that_fills_the_picture_is_one() -> None:
    cat = torch.from_numpy(data.chelsea().astype(np.float32) / 255).permute(2, 0, 1)[None]
    with pytest.warns(UserWarning, match="no person was found"):
        assert not bool(danqing.cutout(cat).any())
    pale = 0.5 + 0.2 * (astronaut()[..., 60:180, 170:280] - 0.5)
    assert not danqing.detect(pale, only="person").found[0].things
    assert float(danqing.cutout(pale)[0, 0, 40:80, 40:70].mean()) > 0.95


def test_a_face_in_a_long_strip_is_found() -> None:
    strip = torch.full((1, 3, 120, 8000), 0.5)
    strip[..., 4000:4120] = astronaut()[..., 56:176, 164:284]
    (face,) = danqing.find_faces(strip).found[0].things
    assert 4000 <= face.box[0] < face.box[2] <= 4120


def test_words_of_imagenet_fit() -> None:
    coffee = torch.from_numpy(data.coffee().astype(np.float32) / 255).permute(2, 0, 1)[None]
    assert danqing.classify(coffee, top=2).numbers[0]["label"] == "espresso"


def test_a_class_that_the_net_does_not_know_is_refused() -> None:
    with pytest.raises(ParameterError, match="does not know 'unicorn'"):
        danqing.detect(astronaut(), only="unicorn")


# ---------------------------------------------------------------- what is found is used


def test_faces_are_blurred_and_nothing_else() -> None:
    x = astronaut()
    found = danqing.find_faces(x)
    assert isinstance(found, Boxes)
    changed = (danqing.blur(x, boxes=found) != x).any(1)[0]
    left, top, right, bottom = map(int, found.found[0].things[0].box)
    assert bool(changed[top + 20 : bottom - 20, left + 20 : right - 20].float().mean() > 0.9)
    changed[top - 20 : bottom + 20, left - 20 : right + 20] = False
    assert not bool(changed.any())


def test_a_mask_is_blurred_by_its_own_colours_as_finely_as_a_box_in_its_place() -> None:
    x = torch.rand(1, 3, 60, 80, generator=torch.Generator().manual_seed(3))
    mask = torch.zeros(1, 1, 60, 80)
    mask[..., 12:36, 20:50] = 1
    made = danqing.blur(x, mask=mask, method="mosaic")
    assert torch.equal(made, danqing.blur(x, box="20,12,30,24", method="mosaic"))
    other = torch.where(mask > 0, x, 1 - x)
    assert torch.equal(danqing.blur(other, mask=mask)[..., 12:36, 20:50], danqing.blur(x, mask=mask)[..., 12:36, 20:50])


def test_masks_and_boxes_lead_select_crop_and_replace() -> None:
    x = torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(30, 40, dtype=torch.bool)
    mask[5:10, 6:16] = True
    cat, dog = Thing("cat", (6, 5, 16, 10), mask=mask), Thing("dog", (20.4, 11, 30, 20.5))
    found = Found(40, 30, (cat, dog))
    assert torch.equal(danqing.select(x, boxes=found, only="cat")[0, 0] == 1, mask)
    assert torch.equal(danqing.crop(x, boxes=found, only="dog"), x[..., 11:21, 20:30])
    assert danqing.crop(x, boxes=found).shape[-2:] == (16, 24)
    red = torch.zeros(1, 3, 8, 8)
    red[:, 0] = 1
    put = danqing.replace(x, red, boxes=found, method="paste")
    changed = (put != x).any(1)[0]
    assert bool(changed[7, 11])
    assert bool(changed[15, 25])
    assert not bool(changed[25:].any())


def test_nothing_to_crop_to_is_an_error_and_nothing_to_blur_is_none() -> None:
    x = torch.rand(1, 3, 30, 40)
    with pytest.raises(ParameterError, match="nothing was found"):
        danqing.crop(x, boxes=Found(40, 30))
    with pytest.warns(UserWarning, match="nothing was found"):
        assert torch.equal(danqing.blur(x, boxes=Found(40, 30)), x)
    with pytest.warns(UserWarning, match="no dog among what was found: cat"):
        assert torch.equal(danqing.blur(x, boxes=Found(40, 30, (Thing("cat", (1, 1, 9, 9)),)), only="dog"), x)


@pytest.mark.parametrize("name", ["crop", "background"])
def test_what_is_called_otherwise_is_told_where_nothing_is_left(name: str) -> None:
    boxes = Found(40, 30, (Thing("cat", (1, 1, 9, 9)),))
    with (
        pytest.warns(UserWarning, match="no dog"),
        pytest.raises(ParameterError, match="no dog among what was found: cat"),
    ):
        getattr(danqing, name)(torch.rand(1, 3, 30, 40), boxes=boxes, only="dog")


# ---------------------------------------------------------------- from the command line, and again


def test_a_picture_and_json_beside_it_are_written_and_used(folder: Path) -> None:
    assert "face 100%" in tell("faces", folder / "photo.png").stderr
    beside = folder / "photo-find_faces.json"
    assert Image.open(folder / "photo-find_faces.png").size == (512, 512)
    assert len(json.loads(beside.read_text())["numbers"]["things"]) == 1
    assert run("blur", folder / "photo.png", "--boxes", beside, "--out", folder / "blurred.png") == 0
    assert "bit for bit" in tell("replay", folder / "blurred.png", "--out", folder / "again.png").output


def test_no_face_is_an_empty_list_and_no_error(folder: Path) -> None:
    assert run("faces", folder / "wood.png", "--out", folder / "none.json") == 0
    assert json.loads((folder / "none.json").read_text())["numbers"]["things"] == []


def test_a_json_that_is_there_already_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text("mine")
    assert run("faces", folder / "photo.png", "--out", tmp_path / "f.png") == 2
    assert (tmp_path / "f.json").read_text() == "mine"
    assert not (tmp_path / "f.png").exists()


def test_a_folder_of_boxes_belongs_to_a_folder_of_pictures(folder: Path, tmp_path: Path) -> None:
    photos, found = tmp_path / "photos", tmp_path / "found"
    photos.mkdir()
    for name in ("photo.png", "wood.png"):
        (photos / name).write_bytes((folder / name).read_bytes())
    assert run("faces", photos, "--out-dir", found) == 0
    assert sorted(path.name for path in found.iterdir()) == ["photo.json", "photo.png", "wood.json", "wood.png"]
    assert run("blur", photos, "--boxes", found, "--out-dir", tmp_path / "blurred") == 0
    same = (tmp_path / "blurred" / "wood.png", photos / "wood.png")
    assert np.array_equal(*(np.asarray(Image.open(each)) for each in same))


def test_what_was_found_in_another_picture_of_that_size_is_used_and_said(folder: Path, tmp_path: Path) -> None:
    """A picture made from that in which it was found is no other one."""
    found, other, made = tmp_path / "found.json", tmp_path / "other.png", tmp_path / "made.png"
    assert run("faces", folder / "photo.png", "--out", found) == 0
    assert run("flip", folder / "photo.png", "--out", other, "--direction", "vertical") == 0
    Image.open(other).save(tmp_path / "bare.png")
    said = {}
    for place in (folder / "photo.png", other, tmp_path / "bare.png"):
        told = tell("blur", place, "--boxes", found, "--out", made, "--force")
        assert told.exit_code == 0, told.stderr
        said[place.name] = "found.json: what it tells was found in another picture, photo.png" in told.stderr
    assert said == {"photo.png": False, "other.png": False, "bare.png": True}
    found.write_text(json.dumps(json.loads(found.read_text())["numbers"]))
    assert (
        "another picture" not in tell("blur", tmp_path / "bare.png", "--boxes", found, "--out", made, "--force").stderr
    )


def test_a_setting_is_named_as_it_is_typed_where_many_pictures_fail(folder: Path, tmp_path: Path) -> None:
    assert run("faces", folder / "photo.png", "--out", tmp_path / "found.json") == 0
    told = tell("blur", folder, "--boxes", tmp_path / "found.json", "--out-dir", tmp_path / "out", "--json")
    assert told.exit_code == 1
    (failed,) = json.loads(told.stdout)["failed"]
    assert (Path(failed["picture"]).name, failed["where"]) == ("wood.png", "--boxes")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"numbers": 3}', '{"numbers": {"width": 3}}'])
def test_what_is_no_file_of_boxes_is_refused(text: str, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "boxes.json"
    file.write_text(text)
    assert run("blur", folder / "photo.png", "--boxes", file, "--out", tmp_path / "out.png") == 2
    assert not (tmp_path / "out.png").exists()

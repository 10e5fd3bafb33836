"""Label files of every format: both ways without loss, and each fault named."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from danqing.core.errors import DataError, OutputError
from danqing.core.notes import noted
from danqing.core.pictures.found import Found, Spot, Thing
from danqing.data.annotations.class_list import names_in
from danqing.data.annotations.coco import _uncompressed
from danqing.data.annotations.formats import CODECS, format_of, read_labels
from danqing.data.annotations.label_set import LabelSet, filled
from danqing.data.annotations.packed import Packed
from danqing.data.annotations.places import read_labelled
from danqing.faces.cli import cli

SIZE = (40, 30)
HOLDS = {
    "coco": "masks points scores",
    "labelme": "masks points scores",
    "yolo": "scores",
    "voc": "scores",
    "masks": "masks",
    "danqing": "masks points scores",
}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    home = tmp_path / "photos"
    (home / "inner").mkdir(parents=True)
    for name in ("a.png", "inner/b.jpg", "empty.png"):
        Image.new("RGB", SIZE).save(home / name)
    return home


def labels(holds: str) -> LabelSet:
    """Random things, with what a format holds."""
    rng = random.Random(0)
    found = {}
    for name in ("a.png", "inner/b.jpg"):
        things = []
        for at, label in enumerate(("dog", "猫 x")):
            left, top = rng.uniform(0, 15) + 18 * at, rng.uniform(0, 12)
            box = (left, top, left + rng.uniform(2, 5), top + rng.uniform(3, 17))
            mask = None
            if "masks" in holds:
                mask = torch.zeros(SIZE[1], SIZE[0], dtype=torch.bool)
                mask[round(top) : round(box[3]), round(left) : round(box[2])] = True
                mask[round(top), round(left)] = False
                box = (float(round(left)), float(round(top)), float(round(box[2])), float(round(box[3])))
            points = (Spot("eye", left + 1, top + 1, 0.5), Spot("tail", left, top)) if "points" in holds else ()
            things.append(Thing(label, box, rng.choice((1.0, 0.25)) if "scores" in holds else 1.0, points, mask))
        found[name] = Found(*SIZE, tuple(things))
    found["empty.png"] = Found(*SIZE)
    return LabelSet(Packed(found), ["dog", "猫 x"], [])


@pytest.mark.parametrize("name", CODECS)
def test_both_ways_without_loss(name: str, photos: Path, tmp_path: Path) -> None:
    given = labels(HOLDS[name])
    close = 0.005 if name == "danqing" else 1e-6  # its files tell hundredths of a pixel
    place = tmp_path / ("labels.json" if name == "coco" else "labels")
    CODECS[name].write(given, place)
    assert format_of(place) == name
    again = read_labels(place, photos)
    assert not again.faults
    assert (set(again.found), again.classes) == (set(given.found), given.classes)
    for picture, wanted in given.found.items():
        assert again.found[picture][:2] == wanted[:2]
        for one, other in zip(again.found[picture].things, wanted.things, strict=True):
            assert one._replace(box=(), points=(), mask=None) == other._replace(box=(), points=(), mask=None)
            assert one.box == pytest.approx(other.box, abs=close)
            for spot, same in zip(one.points, other.points, strict=True):
                assert (spot.name, spot.score) == (same.name, same.score)
                assert spot[1:3] == pytest.approx(same[1:3], abs=close)
            assert (one.mask is None) == (other.mask is None)
            assert one.mask is None or torch.equal(one.mask, other.mask)


def coco(**changes: Any) -> dict[str, Any]:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 10, 9]}],
        "categories": [{"id": 3, "name": "dog"}],
    }
    return {**content, **changes}


ONE = coco()["annotations"][0]
POINTED = {"categories": [{"id": 3, "name": "dog", "keypoints": ["nose"]}]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"annotations": [ONE, ONE]}, "id 1 stands 2 times in annotations"),
     ({"annotations": [{**ONE, "category_id": 7}]}, "category 7"),
     ({"annotations": [{**ONE, "image_id": 7}]}, "image 7"),
     ({"annotations": [{**ONE, "bbox": [1, 2, 0, 9]}]}, "no area"),
     ({"annotations": [{**ONE, "bbox": [50, 2, 9, 9]}]}, "outside the picture"),
     ({"annotations": [{**ONE, "bbox": [float("nan"), 2, 9, 9]}]}, "not four numbers"),
     ({"annotations": [{**ONE, "segmentation": [[1, 1, 2, 2]]}]}, "polygon of 2 points"),
     ({"annotations": [{**ONE, "segmentation": [[1, 1, 9, 1, 9, 9, 1]]}]}, "polygon of 7 numbers, which are no pairs"),
     ({"annotations": [{**ONE, "score": "high"}]}, "a score that is no number"),
     ({"annotations": [{**ONE, "score": 1.5}]}, "not between 0 and 1"),
     ({"annotations": [{**ONE, "keypoints": [1, "x", 2]}], **POINTED}, "key points that are not numbers"),
     ({"annotations": [{**ONE, "keypoints": [1, 2]}], **POINTED}, "2 numbers for key points"),
     ({"annotations": [{**ONE, "keypoints": [1, 2, 9]}], **POINTED}, "not between 0 and 1"),
     ({"annotations": [{**ONE, "keypoints": [1, 2, 2], "keypoint_scores": ["x"]}], **POINTED}, "not numbers"),
     ({"annotations": [{**ONE, "keypoints": [1, 2, 2], "keypoint_scores": [1, 1]}], **POINTED}, "2 scores of 1 key"),
     ({"categories": [{"id": 3, "name": "dog", "keypoints": 5}]}, "no list of names"),
     ({"annotations": [{**ONE, "segmentation": {"size": [SIZE[0], SIZE[1]], "counts": [SIZE[0] * SIZE[1]]}}]},
      "run lengths that do not fit"),
     ({"categories": [{"id": 3, "name": None}]}, "category 3 has no name"),
     ({"images": [{"id": 1, "file_name": "a.png", "width": 400, "height": 300}]}, "says 400×300 px of a picture"),
     ({"images": [{"id": 1, "file_name": "a.png", "width": 30, "height": 40}]}, "which its EXIF may turn"),
     ({"images": [{"id": 1, "file_name": "lost.png"}]}, "no picture lost.png")],
)  # fmt: skip
def test_faults_of_coco_are_named(changes: dict[str, Any], words: str, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(coco(**changes)))
    faults = read_labels(tmp_path / "coco.json", photos).faults
    assert any(words in each.reason for each in faults), faults


@pytest.mark.parametrize(
    ("line", "words"),
    [("0 0.5 0.5 1.2 0.1", "no shares"), ("9 0.5 0.5 0.1 0.1", "class 9"), ("0 a b c d", "words"),
     ("0 0.5 0.5 0 0.1", "no area"), ("0 0.1 0.1 0.2", "3 numbers"), ("0 nan 0.5 0.1 0.1", "no shares")],
)  # fmt: skip
def test_faults_of_yolo_are_named(line: str, words: str, photos: Path, tmp_path: Path) -> None:
    home = tmp_path / "yolo"
    home.mkdir()
    (home / "classes.txt").write_text("dog\n")
    (home / "a.txt").write_text(f"0 0.5 0.5 0.2 0.2\n{line}\n")
    (home / "lost.txt").write_text("")
    read = read_labels(home, photos)
    assert len(read.found["a.png"].things) == 1
    assert [each.name for each in read.faults] == ["a.txt", "lost.txt"]
    assert words in read.faults[0].reason
    assert "line 2" in read.faults[0].reason


def test_faults_of_the_others_are_named(photos: Path, tmp_path: Path) -> None:
    voc, labelme, masks = (tmp_path / name for name in ("voc", "labelme", "masks"))
    for home in (voc, labelme, masks):
        home.mkdir()
    box = "<bndbox><xmin>9</xmin><ymin>1</ymin><xmax>3</xmax><ymax>9</ymax></bndbox>"
    (voc / "a.xml").write_text(f"<annotation><object><name>dog</name>{box}</object></annotation>")
    (voc / "half.xml").write_text("<annotation>")
    shape = {"label": "dog", "points": [[1, 1], [5, 5]], "shape_type": "polygon"}
    (labelme / "a.json").write_text(json.dumps({"shapes": [shape], "imagePath": "a.png"}))
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(masks / "a.png")
    reasons = [each.reason for home in (voc, labelme, masks) for each in read_labels(home, photos).faults]
    for words, reason in zip(("no area", "no XML", "polygon of 2", "5×5 px, its picture 40×30"), reasons, strict=True):
        assert words in reason


BOX = {"label": "dog", "points": [[1, 1], [5, 5]], "shape_type": "rectangle", "group_id": 1}
EYE = {"label": "eye", "points": [[2, 2]], "shape_type": "point", "group_id": 1}


def labelme(photos: Path, home: Path, *shapes: dict[str, Any]) -> LabelSet:
    home.mkdir()
    (home / "a.json").write_text(json.dumps({"shapes": shapes, "imagePath": "a.png"}))
    return read_labels(home, photos)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"score": "high"}, "a score that is no number"), ({"score": 2}, "not between 0 and 1"),
     ({"points": 5}, "points"),
     ({"shape_type": "rectangle", "points": [[1, 1]], "label": "dog"}, "rectangle of 1 point")],
)  # fmt: skip
@pytest.mark.parametrize("shape", [BOX, EYE], ids=["box", "point"])
def test_faults_of_labelme_are_named(
    shape: dict[str, Any], changes: dict[str, Any], words: str, photos: Path, tmp_path: Path
) -> None:
    others = [each for each in (BOX, EYE) if each is not shape]
    faults = labelme(photos, tmp_path / "labelme", *others, {**shape, **changes}).faults
    assert [words in each.reason for each in faults] == [True], faults


def test_a_group_is_of_one_class(photos: Path, tmp_path: Path) -> None:
    (fault,) = labelme(photos, tmp_path / "labelme", BOX, {**BOX, "label": "cat"}).faults
    assert "two classes in one group: dog and cat" in fault.reason


def test_a_circle_is_a_thing_with_its_pixels(photos: Path, tmp_path: Path) -> None:
    circle = {"label": "dog", "points": [[15, 12], [15, 18]], "shape_type": "circle"}
    (thing,) = labelme(photos, tmp_path / "labelme", circle).found["a.png"].things
    assert thing.box == pytest.approx((9, 6, 21, 18), abs=0.01)
    assert int(thing.mask.sum()) == pytest.approx(np.pi * 36, rel=0.05)


@pytest.mark.parametrize("kind", ["coco", "yolo", "labelme"])
def test_what_editors_put_before_a_text_is_passed_over(kind: str, photos: Path, tmp_path: Path) -> None:
    """Notepad begins files with a byte order mark: in a classes.txt it would be part of a name."""
    place = tmp_path / ("labels.json" if kind == "coco" else "labels")
    CODECS[kind].write(labels(""), place)
    before = read_labels(place, photos)
    for file in [place] if kind == "coco" else [each for each in place.rglob("*") if each.is_file()]:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    after = read_labels(place, photos)
    assert not after.faults
    assert after.classes == before.classes
    assert list(after.found.bare()) == list(before.found.bare())


@pytest.mark.parametrize("kind", CODECS)
def test_a_picture_that_cannot_be_read_is_a_fault_of_its_labels(kind: str, photos: Path, tmp_path: Path) -> None:
    place = tmp_path / ("labels.json" if kind == "coco" else "labels")
    CODECS[kind].write(labels(HOLDS[kind]), place)
    (photos / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    read = read_labels(place, photos)
    assert any("cannot be read" in each.reason for each in read.faults)
    assert "a.png" not in read.found


def test_each_side_speaks_of_its_own_pictures(tmp_path: Path) -> None:
    """Composed sets call their pictures by numbers, so that sides have the same names."""
    sides = {"train": (4.0, 4.0, 9.0, 9.0), "test": (1.0, 2.0, 5.0, 6.0)}
    for side, box in sides.items():
        (tmp_path / side).mkdir()
        Image.new("RGB", (20, 20)).save(tmp_path / side / "000000.png")
        told = Packed({"000000.png": Found(20, 20, (Thing("dog", box),))})
        CODECS["coco"].write(LabelSet(told, ["dog"], []), tmp_path / side / "coco.json")
    found = read_labelled(tmp_path, None, "boxes").labels.found
    assert {name: found[name].things[0].box for name in found} == {f"{s}/000000.png": box for s, box in sides.items()}
    Image.new("RGB", (20, 20)).save(tmp_path / "train" / "more.png")
    (tmp_path / "apart.json").write_text((tmp_path / "train" / "coco.json").read_text())
    (fault,) = read_labels(tmp_path / "apart.json", tmp_path).faults
    assert "no picture 000000.png" in fault.reason  # which of the two is meant, nobody knows


def test_packed_masks_are_what_they_were() -> None:
    rng = torch.Generator().manual_seed(0)
    masks = [torch.rand(13, 21, generator=rng) > 0.5, torch.zeros(13, 21, dtype=torch.bool), None]
    things = tuple(Thing("dog", (1.0, 1.0, 4.0, 4.0), mask=mask) for mask in masks)
    packed = Packed({"a.png": Found(21, 13, things)})
    for one, other in zip(packed["a.png"].things, things, strict=True):
        assert one._replace(mask=None) == other._replace(mask=None)
        assert one.mask is other.mask is None or torch.equal(one.mask, other.mask)
    assert [each.mask is not None for each in packed.kept()] == [True, True, False]
    (bare,) = packed.bare()
    assert all(each.mask is None for each in bare.things)
    other = Packed({"a.png": Found(21, 13, things[1:])})
    assert packed.fingerprint(["a.png"]) != other.fingerprint(["a.png"])


def test_nought_is_a_score(photos: Path, tmp_path: Path) -> None:
    shapes = ({**BOX, "score": 0}, {**EYE, "score": 0}, {**BOX, "score": None, "group_id": 2})
    first, second = labelme(photos, tmp_path / "labelme", *shapes).found["a.png"].things
    assert (first.score, first.points[0].score, second.score) == (0, 0, 1)
    (tmp_path / "coco.json").write_text(json.dumps(coco(annotations=[{**ONE, "score": 0}, {**ONE, "score": None}])))
    assert [each.score for each in read_labels(tmp_path / "coco.json", photos).found["a.png"].things] == [0, 1]


def test_the_place_of_a_line_numbers_its_class(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\n\ndog \n\n")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.full((SIZE[1], SIZE[0]), 3, np.uint8)).save(tmp_path / "masks" / "a.png")
    (tmp_path / "yolo").mkdir()
    (tmp_path / "yolo" / "a.txt").write_text("2 0.5 0.5 0.2 0.2\n")
    for home in ("masks", "yolo"):
        read = read_labels(tmp_path / home, photos)
        assert [each.label for each in read.found["a.png"].things] == ["dog"]


def test_cocos_own_text_of_run_lengths_is_read() -> None:
    """Of a mask of 4×4 with the middle 2×2 marked, as pycocotools writes it: counts 5, 2, 2, 2, 5."""
    assert _uncompressed("52203") == [5, 2, 2, 2, 5]


def test_a_polygon_marks_the_pixels_whose_middles_lie_in_it() -> None:
    mask = filled([[2, 1, 6, 1, 6, 4, 2, 4]], (10, 8))
    assert isinstance(mask, torch.Tensor)
    assert mask.nonzero().tolist() == [[y, x] for y in range(1, 4) for x in range(2, 6)]


def test_what_is_no_label_file_is_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    for place in (tmp_path / "x.json", tmp_path / "nothing", photos / "inner"):
        with pytest.raises(DataError):
            read_labels(place, photos)


def test_check_and_convert_tell_faults_and_leave_with_1(photos: Path, tmp_path: Path) -> None:
    file = tmp_path / "coco.json"
    file.write_text(json.dumps(coco(annotations=[ONE, {**ONE, "id": 2, "bbox": [1, 2, 0, 9]}])))
    checked = CliRunner().invoke(cli, ["data", "check", str(photos), "--boxes", str(file)])
    assert checked.exit_code == 1
    assert "annotation 2 of a.png has a box of no area" in checked.output
    assert f"Suggestion: danqing train detector {photos} --labels {file} --skip-bad" in checked.output
    assert "to paint" not in checked.output  # what is wanted of labelled things
    first, detail = checked.output.split("In detail:")
    assert "Warning: 1 label cannot be used" in first
    assert "Suggestion: " in first
    assert "annotation 2" not in first
    assert "labels that cannot be used (1):" in detail
    words = ["data", "convert", str(file), "--pictures", str(photos), "--target", str(tmp_path / "y"), "--to", "yolo"]
    assert CliRunner().invoke(cli, words).exit_code == 1
    assert (tmp_path / "y" / "a.txt").read_text().startswith("0 0.15")


# ---------------------------------------------------------------- names and texts as other systems write them


def yolo(home: Path, **files: str | bytes) -> Path:
    home.mkdir()
    for name, content in {"classes.txt": "dog\ncat\n", **files}.items():
        (home / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return home


LINE = "1 .5 .5 .2 .2\n"


@pytest.mark.parametrize("kind", ["yolo", "voc", "labelme", "masks", "danqing"])
def test_suffixes_count_in_either_case(kind: str, photos: Path, tmp_path: Path) -> None:
    """One that was called .TXT, .XML, .JSON or .PNG by a camera or by DOS is a label file as well."""
    given, place = labels(HOLDS[kind]), tmp_path / "labels"
    for file in CODECS[kind].write(given, place):
        file.rename(file.with_name(file.name.upper() if file.stem == "classes" else file.stem + file.suffix.upper()))
    again = read_labels(place, photos)
    assert (set(again.found), again.faults) == (set(given.found), [])


@pytest.mark.parametrize("kind", ["yolo", "voc", "labelme", "masks", "danqing"])
def test_what_a_file_manager_notes_is_no_label(kind: str, photos: Path, tmp_path: Path) -> None:
    """Beside each file that macOS puts on another disk lies one named ._ and more."""
    given, place = labels(HOLDS[kind]), tmp_path / "labels"
    for file in CODECS[kind].write(given, place):
        file.with_name(f"._{file.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (place / "__MACOSX").mkdir()
    (place / "__MACOSX" / "a.json").write_text("{}")
    assert format_of(place) == kind
    again = read_labels(place, photos)
    assert (set(again.found), again.faults) == (set(given.found), [])


def test_dots_cases_and_forms_of_names_keep_their_pictures(photos: Path, tmp_path: Path) -> None:
    """A dot in a name is no suffix; é is one letter or a letter and an accent; DOS writes in capitals."""
    for name in ("shot.v1.png", "shot.v2.png", "caf\u00e9.png", "C.JPG"):
        Image.new("RGB", SIZE).save(photos / name)
    files = {"shot.v2.txt": LINE, "cafe\u0301.txt": LINE, "c.txt": LINE}
    found = read_labels(yolo(tmp_path / "y", **files), photos)
    assert (set(found.found), found.faults) == ({"shot.v2.png", "caf\u00e9.png", "C.JPG"}, [])


def test_a_name_that_several_pictures_have_is_a_fault(photos: Path, tmp_path: Path) -> None:
    Image.new("RGB", SIZE).save(photos / "a.jpg")
    found = read_labels(yolo(tmp_path / "y", **{"a.txt": LINE}), photos)
    assert not found.found
    assert "several" in found.faults[0].reason
    whole = read_labels(yolo(tmp_path / "z", **{"a.jpg.txt": LINE}), photos)
    assert set(whole.found) == {"a.jpg"}


@pytest.mark.parametrize("kind", ["yolo", "voc", "labelme", "masks", "danqing"])
def test_pictures_of_one_name_do_not_share_a_label_file(kind: str, tmp_path: Path) -> None:
    """Nothing is written then: not even the labels of those before."""
    mask = torch.ones(SIZE[1], SIZE[0], dtype=torch.bool)
    things = Found(*SIZE, (Thing("dog", (0.0, 0.0, 40.0, 30.0), mask=mask),))
    given = LabelSet(Packed({"0.png": things, "a.png": things, "a.jpg": things}), ["dog"], [])
    with pytest.raises(DataError, match=r"one label file for a.png, a.jpg"):
        CODECS[kind].write(given, tmp_path / "labels")
    assert not (tmp_path / "labels").exists()


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc", "labelme", "danqing"])
def test_pictures_whose_names_no_xml_could_hold_have_labels(kind: str, tmp_path: Path) -> None:
    name = "a\x07.png"
    home, things = tmp_path / "photos", Found(*SIZE, (Thing("dog", (0.0, 0.0, 40.0, 30.0)),))
    Image.new("RGB", SIZE).save(tmp_path / "photo.png")
    home.mkdir()
    (tmp_path / "photo.png").rename(home / name)
    place = tmp_path / ("labels.json" if kind == "coco" else "labels")
    CODECS[kind].write(LabelSet(Packed({name: things}), ["dog"], []), place)
    assert read_labels(place, home).found[name].things[0].label == "dog"


def test_labels_are_written_all_or_not_at_all(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "labels" / "inner").mkdir(parents=True)
    (tmp_path / "labels" / "inner" / "b.xml").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        CODECS["voc"].write(labels(""), tmp_path / "labels")
    assert [each for each in (tmp_path / "labels").rglob("*") if each.is_file()] == [tmp_path / "labels/inner/b.xml"]


@pytest.mark.parametrize(
    ("encoding", "mark"), [("gb18030", b""), ("utf-16-le", b"\xff\xfe"), ("utf-8", b"\xef\xbb\xbf")]
)
def test_class_names_in_the_encodings_of_windows(encoding: str, mark: bytes, photos: Path, tmp_path: Path) -> None:
    listed = mark + "老虎\n大熊猫\n".encode(encoding)
    with noted([]) as notes:
        found = read_labels(yolo(tmp_path / "y", **{"classes.txt": listed, "a.txt": LINE}), photos)
    assert found.classes == ["老虎", "大熊猫"]
    assert any("GB 18030" in each for each in notes) == (encoding == "gb18030")


# ---------------------------------------------------------------- what other programs write, and what no format holds

LISTED = "traffic light", "dog's", "a, b"
YAMLS = {
    "a list in a line": "nc: 3\nnames: ['traffic light', \"dog's\", 'a, b']  # 3\n",
    "a table in a line": "names: {0: traffic light, 1: dog's, 2: 'a, b'}\nnc: 3\n",
    "a list": "names:\n- traffic light\n- dog's\n- a, b\nnc: 3\n",
    "a table": "p: x\nnames:\r\n  2: a, b\r\n  0: traffic light # red\r\n  1: dog's\r\n\r\ndownload: |\n  names: [x]\n",
    "a list over lines": "names: [\n  traffic light,\n  dog's,\n  'a, b',\n]\n",
}


@pytest.mark.parametrize("text", YAMLS.values(), ids=YAMLS)
def test_the_names_of_a_data_yaml_are_read(text: str, photos: Path, tmp_path: Path) -> None:
    place = tmp_path / "labels" / "train"
    place.mkdir(parents=True)
    (tmp_path / "data.yaml").write_text(text)
    (place / "a.txt").write_text("2 .5 .5 .2 .2\n")
    read = read_labels(place, photos)
    assert (tuple(read.classes), read.found["a.png"].things[0].label) == (LISTED, "a, b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "names:",
        "names: file.txt\n",
        "names: {999999999: x}\n",
        "names: [",
        "names: []",
        "!!python/object:os.system {}",
    ],
)
def test_a_data_yaml_without_names_leaves_numbers(text: str) -> None:
    assert names_in(text) == []


@pytest.mark.parametrize("kind", ["yolo", "voc", "labelme", "masks"])
def test_sides_that_hold_their_labels_themselves(kind: str, tmp_path: Path) -> None:
    """As Roboflow lays them out, and as danqing composes them: pictures of both sides may have one name."""
    mask = torch.zeros(SIZE[1], SIZE[0], dtype=torch.bool)
    mask[2:9, 3:12] = True
    for side, label in (("train", "dog"), ("valid", "cat")):
        (tmp_path / side / "images").mkdir(parents=True)
        Image.new("RGB", SIZE).save(tmp_path / side / "images" / "0.png")
        found = Packed({"0.png": Found(*SIZE, (Thing(label, (3.0, 2, 12, 9), mask=mask),))})
        CODECS[kind].write(LabelSet(found, ["cat", "dog"], []), tmp_path / side / "labels")
    known = read_labelled(tmp_path, None, "masks" if kind in ("labelme", "masks") else "boxes")
    found = known.labels.found
    assert {name: found[name].things[0].label for name in found} == {
        "train/images/0.png": "dog",
        "valid/images/0.png": "cat",
    }


def test_labels_beside_a_folder_of_pictures_are_found(tmp_path: Path) -> None:
    """As ``data compose`` lays them."""
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", SIZE).save(tmp_path / "pictures" / "a.png")
    yolo(tmp_path / "labels", **{"a.txt": LINE})
    assert read_labelled(tmp_path / "pictures", None, "boxes").labels.found["a.png"].things[0].label == "cat"


@pytest.mark.parametrize(
    ("listed", "values", "made"),
    [("leaf\n", (0, 255), {"leaf": 255}), ("leaf\n", (0, 1, 255), {"leaf": 1}),
     ("leaf\nbug\n", (0, 2, 255), {"bug": 2}), ("", (0, 255), {"255": 255}), ("\nbug\n", (0, 2), {"bug": 2})],
)  # fmt: skip
def test_white_is_the_only_class_or_none(
    listed: str, values: tuple[int, ...], made: dict[str, int], photos: Path, tmp_path: Path
) -> None:
    home = tmp_path / "masks"
    home.mkdir()
    if listed:
        (home / "classes.txt").write_text(listed)
    plane = np.resize(np.array(values, np.uint8), (SIZE[1], SIZE[0]))
    Image.fromarray(plane).save(home / "a.png")
    with noted([]) as notes:
        read = read_labels(home, photos)
    assert not read.faults
    found = {each.label: each.mask for each in read.found["a.png"].things}
    assert found.keys() == made.keys()
    assert all(torch.equal(found[name], torch.from_numpy(plane == value)) for name, value in made.items())
    assert any("counts as nothing" in each for each in notes) == (255 in values and 255 not in made.values())


def test_a_mask_of_a_class_without_a_name_is_a_fault(photos: Path, tmp_path: Path) -> None:
    home = tmp_path / "masks"
    home.mkdir()
    (home / "classes.txt").write_text("\nbug\n")
    Image.fromarray(np.ones((SIZE[1], SIZE[0]), np.uint8)).save(home / "a.png")
    (fault,) = read_labels(home, photos).faults
    assert "no name" in fault.reason


def test_a_damaged_mask_is_a_fault(photos: Path, tmp_path: Path) -> None:
    """Pillow raises an error of syntax where the name of a PNG's chunk is damaged."""
    home = tmp_path / "masks"
    CODECS["masks"].write(labels("masks"), home)
    data = bytearray((home / "a.png").read_bytes())
    data[data.index(b"IDAT") + 1] = 0xFF
    (home / "a.png").write_bytes(bytes(data))
    (fault,) = read_labels(home, photos).faults
    assert "cannot be read" in fault.reason
    broken = base64.b64encode(bytes(data)).decode()
    shape = {"label": "dog", "points": [[0, 0], [39, 29]], "shape_type": "mask", "mask": broken}
    assert "no PNG" in labelme(photos, tmp_path / "labelme", shape).faults[0].reason


@pytest.mark.parametrize("kind", ["yolo", "voc", "masks"])
def test_what_a_format_cannot_hold_is_said(kind: str, tmp_path: Path) -> None:
    given = labels("masks points scores")
    (first, *_), size = given.found["a.png"].things, SIZE
    found = Packed({"a.png": Found(*size, (first._replace(mask=None), first, first))})
    with noted([]) as notes:
        CODECS[kind].write(LabelSet(found, ["dog"], []), tmp_path / "labels")
    said = " ".join(notes)
    assert "points" in said
    assert "left out" in said
    assert kind != "masks" or ("as their boxes" in said and "of one class are one" in said)


def test_a_hidden_point_stays_one(photos: Path, tmp_path: Path) -> None:
    """Of COCO's visibilities 1 is a point that is labelled and not seen."""
    points = {"categories": [{"id": 3, "name": "dog", "keypoints": ["nose", "eye", "tail"]}]}
    given = [
        {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 10, 9], "keypoints": [3, 4, 1, 5, 6, 2, 0, 0, 0]}
    ]
    place = tmp_path / "coco.json"
    place.write_text(json.dumps(coco(annotations=given, **points)))
    for kind in ("labelme", "coco"):
        made = tmp_path / ("labelme" if kind == "labelme" else "again.json")
        CODECS[kind].write(read_labels(place, photos), made)
        place = made
    (again,) = json.loads(place.read_text())["annotations"]
    assert (again["keypoints"][2::3], again["num_keypoints"]) == ([1, 2], 2)


def test_what_is_hidden_in_mask_pngs_is_said(tmp_path: Path) -> None:
    """The later one is seen; a class that is nowhere seen is lost."""
    dog, cat = (Thing(name, (4.0, 4, 9, 9)) for name in ("dog", "cat"))
    bird = cat._replace(label="bird", box=(20.0, 4, 20.4, 9))
    found = Packed(
        {"a.png": Found(*SIZE, (dog, cat, bird)), "b.png": Found(*SIZE, (dog, cat._replace(box=(4, 4, 8, 9))))}
    )
    with noted([]) as notes:
        CODECS["masks"].write(LabelSet(found, ["dog", "cat", "bird"], []), tmp_path / "labels")
    assert sum("2 things cannot be seen in mask PNGs" in each for each in notes) == 1


@pytest.mark.parametrize("name", ["a\nb", "", " ", "dog ", "x\x07"])
@pytest.mark.parametrize("kind", ["yolo", "voc", "masks"])
def test_a_name_that_would_shift_the_others_is_not_written(kind: str, name: str, tmp_path: Path) -> None:
    found = Packed({"a.png": Found(*SIZE, (Thing(name, (0.0, 0, 4, 4)),))})
    with pytest.raises(DataError, match="cannot hold a class that is called"):
        CODECS[kind].write(LabelSet(found, [name], []), tmp_path / "labels")
    assert not (tmp_path / "labels").exists()


def test_what_an_id_means_twice_is_not_used(photos: Path, tmp_path: Path) -> None:
    """Boxes of one picture would be learned as those of another."""
    images = [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "empty.png"}]
    place = tmp_path / "coco.json"
    place.write_text(json.dumps(coco(images=images)))
    read = read_labels(place, photos)
    assert not read.found
    assert "id 1 stands 2 times in images" in read.faults[0].reason
    place.write_text(json.dumps(coco(categories=[{"id": 3, "name": "dog"}, {"id": 3, "name": "cat"}])))
    assert not read_labels(place, photos).found["a.png"].things
    place.write_text(json.dumps(coco(images=images[:1] * 2)))
    assert len(read_labels(place, photos).found["a.png"].things) == 1  # said twice, but clear


def test_crowds_and_difficult_things_are_told(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(coco(annotations=[{**ONE, "iscrowd": 1}])))
    (tmp_path / "voc").mkdir()
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>9</ymax></bndbox><difficult>1</difficult>"
    (tmp_path / "voc" / "a.xml").write_text(f"<annotation><object><name>dog</name>{box}</object></annotation>")
    for place, words in ((tmp_path / "coco.json", "1 crowd"), (tmp_path / "voc", "difficult")):
        with noted([]) as notes:
            assert len(read_labels(place, photos).found["a.png"].things) == 1
        assert any(words in each for each in notes)


def test_a_text_that_is_none_is_a_fault(photos: Path, tmp_path: Path) -> None:
    home = yolo(tmp_path / "y", **{"a.txt": b"\xff\xfe\x00"})
    (fault,) = read_labels(home, photos).faults
    assert "cannot be read" in fault.reason
    with pytest.raises(DataError, match=r"classes\.txt"):
        read_labels(yolo(tmp_path / "z", **{"classes.txt": b"\xff\xfe\x00", "a.txt": LINE}), photos)

"""Folders, zips, label files and shards are found as people keep them; what cannot be used is named."""

import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from danqing.core.errors import DataError, ParameterError, PictureError
from danqing.core.pictures.names import natural
from danqing.data.sides import side_of
from danqing.data.source import Source
from danqing.data.sources import open_source
from danqing.data.zips import LARGEST

Paint = Callable[..., Path]


def names(source: Source) -> list[str]:
    return [record.name for record in source.records()]


def labelled(source: Source) -> dict[str, str | None]:
    return {record.name: record.label for record in source.records()}


def zipped(folder: Path, file: Path) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return file


def test_folder_is_searched_deeply_in_natural_order(tmp_path: Path, paint: Paint) -> None:
    for name in ("set/10.png", "set/9.png", "set/deep/er/1.JPG", "set/.trash/2.png"):
        paint(name)
    (tmp_path / "set" / "read me.txt").write_text("hello")
    source = open_source(tmp_path / "set")
    assert names(source) == ["9.png", "10.png", "deep/er/1.JPG"]
    assert source.classes == []


def test_class_folders_give_labels(tmp_path: Path, paint: Paint) -> None:
    for name in ("set/10/a.png", "set/9/a.png", "set/9/b.png"):
        paint(name)
    source = open_source(tmp_path / "set")
    assert source.classes == ["9", "10"]
    assert labelled(source) == {"9/a.png": "9", "9/b.png": "9", "10/a.png": "10"}


def test_a_picture_outside_the_class_folders_means_no_labels(tmp_path: Path, paint: Paint) -> None:
    for name in ("set/cat/a.png", "set/dog/a.png", "set/b.png"):
        paint(name)
    assert open_source(tmp_path / "set").classes == []


def test_zip_of_a_folder_is_the_folder(tmp_path: Path, paint: Paint) -> None:
    for at, name in enumerate(("set/cat/a.png", "set/cat/b.png", "set/dog/a.png")):
        paint(name, at)
    folder = open_source(tmp_path / "set")
    archive = open_source(zipped(tmp_path / "set", tmp_path / "set.zip"))
    assert archive.classes == folder.classes == ["cat", "dog"]
    for one, other in zip(folder.records(), archive.records(), strict=True):
        assert other.name == f"set/{one.name}"
        assert one.label == other.label
        assert (one.read(None).pixels == other.read(None).pixels).all()


def test_train_and_test_folders_are_the_split(tmp_path: Path, paint: Paint) -> None:
    for name in ("set/train/cat/a.png", "set/train/dog/b.png", "set/val/cat/c.png"):
        paint(name)
    assert names(open_source(tmp_path / "set", split="train")) == ["train/cat/a.png", "train/dog/b.png"]
    test = open_source(tmp_path / "set", split="test")
    assert labelled(test) == {"val/cat/c.png": "cat"}
    assert test.classes == ["cat", "dog"]


def test_split_by_name_is_a_stable_partition(tmp_path: Path, paint: Paint) -> None:
    for at in range(60):
        paint(f"set/{at}.png", size=(1, 1))
    train, test = (set(names(open_source(tmp_path / "set", split=side))) for side in ("train", "test"))
    assert train | test == set(names(open_source(tmp_path / "set", split="all")))
    assert not train & test
    paint("set/another.png", size=(1, 1))
    assert train <= set(names(open_source(tmp_path / "set", split="train")))


def test_a_tenth_is_held_out() -> None:
    held = sum(side_of(f"photo {at}.jpg") == "test" for at in range(10_000))
    assert abs(held - 1000) < 4 * 30  # four standard deviations of a binomial


def test_one_picture_is_for_training(tmp_path: Path, paint: Paint) -> None:
    alone = next(name for name in (f"{at}.png" for at in range(100)) if side_of(name) == "test")
    paint(f"set/{alone}")
    assert names(open_source(tmp_path / "set", split="train")) == [alone]
    assert names(open_source(tmp_path / "set", split="test")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "file,label\na.png,cat\ndeep/b.png,dog\n"),
        ("labels.csv", '\ufeffClass,Path\r\ncat,"a.png"\r\ndog,deep\\b.png\r\n'),
        ("labels.json", '{"a.png": "cat", "b.png": "dog"}'),
        ("dataset.json", '{"labels": [["a.png", "cat"], ["deep/b.png", "dog"]]}'),
    ],
)
def test_label_files_are_found(tmp_path: Path, paint: Paint, name: str, text: str) -> None:
    paint("set/a.png")
    paint("set/deep/b.png")
    (tmp_path / "set" / name).write_text(text, newline="")
    assert labelled(open_source(tmp_path / "set")) == {"a.png": "cat", "deep/b.png": "dog"}
    (tmp_path / "aside").write_text(text, newline="")
    (tmp_path / "set" / name).unlink()
    assert open_source(tmp_path / "set", tmp_path / "aside").classes == ["cat", "dog"]


def test_label_file_goes_before_folders_and_may_say_none(tmp_path: Path, paint: Paint) -> None:
    paint("set/00000/a.png")
    paint("set/00001/b.png")
    (tmp_path / "set" / "dataset.json").write_text('{"labels": null}')
    assert open_source(tmp_path / "set").classes == []
    (tmp_path / "set" / "dataset.json").write_text('{"labels": [["00000/a.png", 10], ["00001/b.png", 9]]}')
    assert open_source(tmp_path / "set").classes == ["9", "10"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,label\na.png,cat\n", "no label for 1 of 2 pictures: b.png"),
        ("c.png,cat\nd.png,dog\n", "must begin with a line that names the columns file,label"),
        ("file,label\na.png,cat\nb.png\n", "line 3 has too few columns"),
        ('{"a.png": [1, 2], "b.png": [2, 1]}', "a label a name or a number"),
        ('{"a.png": "cat"', "is not a readable CSV or JSON file"),
        ("", "must begin with a line"),
    ],
)
def test_bad_label_files_are_explained(tmp_path: Path, paint: Paint, text: str, words: str) -> None:
    paint("set/a.png")
    paint("set/b.png")
    (tmp_path / "set" / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        open_source(tmp_path / "set")


def test_labels_of_absent_pictures_are_remarked(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png")
    (tmp_path / "set" / "labels.json").write_text(json.dumps({"a.png": "cat", "gone.png": "dog"}))
    assert open_source(tmp_path / "set").remarks == ["No picture for 1 label: gone.png"]


def test_missing_empty_and_pictureless_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder") as missing:
        open_source(tmp_path / "nowhere")
    assert missing.value.exit_code == 2
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="is empty"):
        open_source(tmp_path / "set")
    (tmp_path / "set" / "a.txt").touch()
    with pytest.raises(DataError, match="holds 1 file, but no pictures"):
        open_source(tmp_path / "set")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        open_source(tmp_path / "set" / "a.txt")
    with pytest.raises(ParameterError, match="not one of all, train, test"):
        open_source("digits", split="half")


def test_zip_is_never_extracted_and_slippery_names_are_left_out(tmp_path: Path, paint: Paint) -> None:
    raw = paint("a.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for name in ("../slip.png", "/root.png", "in/../../slip.png", "__MACOSX/._a.png", "good.png"):
            archive.writestr(name, raw)
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    source = open_source(tmp_path / "evil.zip")
    assert names(source) == ["good.png"]
    next(iter(source.records())).read(None)
    assert sorted(tmp_path.rglob("*")) == before


def test_zip_bomb_and_damage_are_named(tmp_path: Path, paint: Paint) -> None:
    raw = paint("a.png").read_bytes()
    file = tmp_path / "set.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("broken.png", raw)
        archive.writestr("huge.png", bytes(1_234_567))
    whole = bytearray(file.read_bytes().replace(struct.pack("<I", 1_234_567), struct.pack("<I", LARGEST + 1)))
    whole[45] ^= 255  # inside the first picture
    file.write_bytes(whole)
    broken, huge = open_source(file).records()
    with pytest.raises(PictureError, match="cannot be taken out of the zip"):
        broken.read(None)
    with pytest.raises(PictureError, match="unpacks to 1,073,741,825 bytes"):
        huge.read(None)
    file.write_bytes(whole[:-30])
    with pytest.raises(DataError, match="zip"):
        open_source(file)


def test_folders_linked_in_a_circle_end(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png")
    paint("elsewhere/b.png")
    (tmp_path / "set" / "round").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(open_source(tmp_path / "set")) == ["a.png", "link/b.png"]


def test_fingerprint_follows_the_files(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png")
    before = open_source(tmp_path / "set").fingerprint
    assert open_source(tmp_path / "set").fingerprint == before
    paint("set/a.png", seed=1, size=(30, 30))
    changed = open_source(tmp_path / "set").fingerprint
    paint("set/b.png")
    assert len({before, changed, open_source(tmp_path / "set").fingerprint}) == 3


def test_natural_order() -> None:
    assert sorted(["p10", "p9", "P1", "q", "9", "10", "²", ""], key=natural)[:3] == ["", "9", "10"]
    assert sorted(["p10", "p9"], key=natural) == ["p9", "p10"]


def test_what_danqing_made_inside_the_set_is_no_further_picture(tmp_path: Path) -> None:
    """As for operators: results of --out-dir inside a folder are passed over, and named; other copies are pictures."""
    from danqing.core.operators.operator import operator_named
    from danqing.core.progress import finish
    from danqing.core.runs.folders import Folders
    from danqing.core.runs.run import run

    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / name)
    finish(run(operator_named("flip"), {}, Folders([tmp_path], out_dir=tmp_path / "out")))
    (tmp_path / "mine").mkdir()
    shutil.copyfile(tmp_path / "a.png", tmp_path / "mine" / "a.png")
    source = open_source(tmp_path)
    assert [record.name for record in source.records()] == ["a.png", "b.png", "mine/a.png"]
    assert [each.name for each in source.passed_over] == ["out/a.png", "out/b.png"]
    assert "made of a.png" in source.passed_over[0].reason

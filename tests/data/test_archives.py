"""One set of pictures is one set, whether it lies in a folder, a zip or a tar, and whoever wrote the names."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from danqing.core.errors import DataError
from danqing.core.notes import noted
from danqing.core.progress import finish
from danqing.data.check import check
from danqing.data.report import Report
from danqing.data.source import Source
from danqing.data.sources import open_source
from danqing.data.store import pack
from danqing.data.stream import Stream
from danqing.data.zips import clean_path

Contents = list[tuple[bytes, bytes]]
Write = Callable[[Path, Contents], Path]
HEIC = b"\0\0\0\x18ftypheic" + bytes(64)


def picture(value: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (6, 5), (value, 255 - value, 9)).save(out, kind)
    return out.getvalue()


def into_folder(place: Path, contents: Contents) -> Path:
    for name, raw in contents:
        file = place / name.decode("utf-8", "surrogateescape")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
    return place


class OldName(zipfile.ZipInfo):
    """A member whose name is written as it is given, without the flag that says UTF-8."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("x")
        self.raw, self.filename = raw, raw.decode("cp437")

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.raw, 0


def into_zip(place: Path, contents: Contents) -> Path:
    """A zip as old programs write it: names are bytes, and nothing says in which encoding."""
    file = place.with_suffix(".zip")
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in contents:
            archive.writestr(OldName(name), raw)
    return file


def into_tar(place: Path, contents: Contents, suffix: str = ".tar") -> Path:
    file = place.with_name(place.name + suffix)
    with tarfile.open(file, "w:gz" if suffix == ".tgz" else "w", format=tarfile.GNU_FORMAT) as archive:
        for name, raw in contents:
            item = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
            item.size = len(raw)
            archive.addfile(item, io.BytesIO(raw))
    return file


def into_tgz(place: Path, contents: Contents) -> Path:
    return into_tar(place, contents, ".tgz")


EVERYWHERE = [into_folder, into_zip, into_tar, into_tgz]
ARCHIVES = EVERYWHERE[1:]


def report_of(spec: Path) -> Report:
    return finish(check(spec))


def labelled(source: Source) -> dict[str, str | None]:
    return {record.name: record.label for record in source.records()}


@pytest.mark.parametrize("write", EVERYWHERE)
def test_the_same_rules_hold_everywhere(tmp_path: Path, write: Write) -> None:
    raw = picture(1)
    names = [
        "cat/a.PNG", "cat/b.c.d.png", "cat/b.c.e.png", "cat/no suffix", "dog/e.jfif", "dog/._e.jfif", "dog/.hidden.png",
        "__MACOSX/dog/._e.jfif", "dog/Thumbs.db", "dog/f.png~",
    ]  # fmt: skip
    contents = [(name.encode(), raw) for name in names] + [(b"dog/g.heic", HEIC), (b"notes.txt", b"hello")]
    report = report_of(write(tmp_path / "set", contents))
    assert report.usable == 5
    assert report.unusable == []
    assert report.classes == {"cat": 4, "dog": 1}
    told = dict(report.passed_over)
    assert told.keys() == {
        "dog/._e.jfif", "dog/.hidden.png", "__MACOSX/", "dog/Thumbs.db", "dog/f.png~", "dog/g.heic", "notes.txt",
    }  # fmt: skip
    assert "heic" in told["dog/g.heic"]
    assert any("assed over 7 files" in words for words in report.warnings)
    assert json.loads(json.dumps(report.to_json()))["passed_over"]
    assert "passed over (7):" in report.lines()


@pytest.mark.parametrize("write", ARCHIVES)
@pytest.mark.parametrize(("encoding", "first", "second"), [
    ("gbk", "猫", "狗"), ("shift_jis", "ねこ", "表示"), ("cp437", "café", "Größe"), ("utf-8", "猫", "Größe"),
])  # fmt: skip
def test_names_without_a_declared_encoding(
    tmp_path: Path, write: Write, encoding: str, first: str, second: str
) -> None:
    contents = [(f"{name}/{at}.png".encode(encoding), picture(at)) for at in range(3) for name in (first, second)]
    report = report_of(write(tmp_path / "set", contents))
    assert report.classes == {first: 3, second: 3}
    assert any("encoded" in words for words in report.warnings) == (encoding != "utf-8")


@pytest.mark.parametrize("write", ARCHIVES)
def test_backslashes_part_folders(tmp_path: Path, write: Write) -> None:
    contents = [(f"{'cats' if at % 2 else 'dogs'}\\{at}.png".encode(), picture(at)) for at in range(4)]
    assert report_of(write(tmp_path / "set", contents)).classes == {"cats": 2, "dogs": 2}


@pytest.mark.parametrize("write", EVERYWHERE)
def test_both_forms_of_a_name_are_one_class(tmp_path: Path, write: Write) -> None:
    contents = [
        ("caf\u00e9/a.png".encode(), picture(1)),
        ("cafe\u0301/b.png".encode(), picture(2)),
        (b"tea/c.png", picture(3)),
    ]
    source = open_source(write(tmp_path / "set", contents))
    assert source.classes == ["caf\u00e9", "tea"]
    assert all(record.read(None).pixels.shape == (1, 3, 5, 6) for record in source.records())


@pytest.mark.parametrize("write", ARCHIVES)
def test_names_that_point_outside_and_doubles_are_named(tmp_path: Path, write: Write) -> None:
    names = ["../slip.png", "/root.png", "C:\\win.png", "in/../../slip.png", "./good.png", "good.png"]
    contents = [(name.encode(), picture(at)) for at, name in enumerate(names)]
    source = open_source(write(tmp_path / "set", contents))
    (record,) = source.records()
    assert record.name == "good.png"
    assert round(float(record.read(None).pixels[0, 0, 0, 0]) * 255) == 5  # the later one
    told = dict(source.passed_over)
    assert len(told) == 5
    assert "twice" in told["good.png"]
    assert "outside" in told["../slip.png"]


@pytest.mark.parametrize("write", ARCHIVES)
def test_very_long_names(tmp_path: Path, write: Write) -> None:
    deep = "/".join(["x" * 200] * 4)
    contents = [(f"{name}/{deep}.png".encode(), picture(at)) for at, name in enumerate(("cat", "dog"))]
    report = report_of(write(tmp_path / "set", contents))
    assert report.classes == {"cat": 1, "dog": 1}
    assert len(finish(pack(write(tmp_path / "set", contents), size=4))) == 2


@pytest.mark.parametrize("write", EVERYWHERE)
@pytest.mark.parametrize("top", ["", "pictures/", "图片/"])
@pytest.mark.parametrize("named", ["labels.csv", "Labels.CSV"])
def test_a_label_file_is_found_in_all_of_them(tmp_path: Path, write: Write, top: str, named: str) -> None:
    contents = [(f"{top}{name}".encode(), picture(at)) for at, name in enumerate(("a.png", "in/a.png", "b.png"))]
    table = (f"{top}{named}".encode(), b"file,label\na.png,x\nin/a.png,y\nb.png,x\n")
    source = open_source(write(tmp_path / "set", [*contents, table]))
    assert labelled(source) == {f"{top}a.png": "x", f"{top}in/a.png": "y", f"{top}b.png": "x"}
    assert source.passed_over == []


@pytest.mark.parametrize("write", EVERYWHERE)
def test_sides_are_told_by_folders_in_all_of_them(tmp_path: Path, write: Write) -> None:
    names = ["train/cat/a.png", "train/dog/b.png", "val/cat/c.png"]
    place = write(tmp_path / "set", [(name.encode(), picture(at)) for at, name in enumerate(names)])
    assert labelled(open_source(place, split="test")) == {"val/cat/c.png": "cat"}
    assert any("nothing held out" in words and "dog" in words for words in open_source(place).remarks)


def test_a_set_of_nothing_but_other_files_says_why(tmp_path: Path) -> None:
    into_folder(tmp_path / "set", [(b"a.heic", HEIC), (b"b.zip", b"PK\3\4")])
    with pytest.raises(DataError, match=r"holds 2 files, but no pictures; .*a.heic.*heic.*archive"):
        open_source(tmp_path / "set")


def test_labels_beside_pictures_in_a_shard(tmp_path: Path) -> None:
    contents = [
        (b"1.left.png", picture(1)), (b"1.right.png", picture(2)), (b"1.cls", b"cat\n"),
        (b"2.v1.png", picture(3)), (b"2.v1.json", b'{"label": "dog"}'), (b"2.v2.png", picture(4)),
        (b"2.v2.json", b'{"label": 7}'), (b"2.txt", b"a caption"),
    ]  # fmt: skip
    source = open_source(into_tar(tmp_path / "set", contents))
    assert labelled(source) == {"1.left.png": "cat", "1.right.png": "cat", "2.v1.png": "dog", "2.v2.png": "7"}
    assert source.classes == ["7", "cat", "dog"]
    assert [each.name for each in source.passed_over] == ["2.txt"]
    assert Stream(tmp_path / "set.tar", size=4).classes == ["7", "cat", "dog"]


@pytest.mark.parametrize("beside", [b"", b"\n"])
def test_an_empty_label_in_a_shard_is_no_class(tmp_path: Path, beside: bytes) -> None:
    place = into_tar(
        tmp_path / "set", [(b"1.png", picture(1)), (b"1.cls", b"a"), (b"2.png", picture(2)), (b"2.cls", beside)]
    )
    assert open_source(place).classes == ["a"]
    with pytest.raises(DataError, match=r"only 1 of 2 pictures have a label, not 2.png"):
        finish(pack(place, size=4))


def test_labels_in_a_shard_are_cleaned_as_those_of_a_table(tmp_path: Path) -> None:
    contents = [(b"1.png", picture(1)), (b"1.cls", "\u200bkai\u3000\u3000shu\ufeff\n".encode())]
    contents += [(b"2.png", picture(2)), (b"2.json", json.dumps({"label": "kai\xa0\xa0shu"}).encode())]
    place = into_tar(tmp_path / "set", contents)
    assert open_source(place).classes == ["kai  shu"]
    bad = into_tar(tmp_path / "bad", [(b"1.png", picture(1)), (b"1.cls", b"kai\x07")])
    with pytest.raises(DataError, match=r"1\.cls.*control character in the label.*kai\\x07"):
        open_source(bad)


def test_a_label_file_can_be_given_for_shards(tmp_path: Path) -> None:
    place = into_tar(tmp_path / "set", [(b"1.png", picture(1)), (b"2.png", picture(2))])
    (tmp_path / "given.csv").write_text("1.png;cat\n2.png;dog\n")
    assert open_source(place, tmp_path / "given.csv").classes == ["cat", "dog"]


def test_frames_and_pages_beyond_the_first_are_counted(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    (tmp_path / "set").mkdir()
    for name in ("a.gif", "b.tif", "c.webp", "d.png", "e.avif"):
        frames[0].save(tmp_path / "set" / name, save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "set" / "single.png")
    for place in (
        tmp_path / "set",
        into_zip(tmp_path / "z", [(f.name.encode(), f.read_bytes()) for f in (tmp_path / "set").iterdir()]),
    ):
        report = report_of(place)
        assert report.usable == 6
        assert sorted(report.animations) == ["a.gif", "b.tif", "c.webp", "d.png", "e.avif"]
        assert any("Several frames or pages: 5 pictures" in words for words in report.warnings)
        with noted([]) as notes:
            finish(pack(place, size=4))
        assert any("Several frames or pages: 5 pictures" in words for words in notes)


def test_what_was_passed_over_is_noted_in_training(tmp_path: Path) -> None:
    place = into_folder(tmp_path / "set", [(b"a.png", picture(1)), (b"b.heic", HEIC)])
    for _ in range(2):  # when it is packed, and when it is found packed
        with noted([]) as notes:
            finish(pack(place, size=4))
        assert len(notes) == 1
        assert "Passed over 1 file: b.heic" in notes[0]


@pytest.mark.parametrize("cut", [30, 200])
def test_a_zip_that_is_cut_off_is_called_so(tmp_path: Path, cut: int) -> None:
    whole = into_zip(tmp_path / "set", [(b"1.png", picture(1)), (b"2.png", picture(2))])
    raw = whole.read_bytes()
    whole.write_bytes(raw[:-cut])
    with pytest.raises(DataError, match="is a damaged zip") as caught:
        open_source(whole)
    assert caught.value.remedy == "Download or copy it again"
    whole.write_bytes(b"x" + bytes(50))
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        open_source(whole)


def test_a_colon_in_a_name_is_no_way_out_of_a_zip() -> None:
    """Nothing is ever extracted, so only what begins like a drive is passed over."""
    assert clean_path("a:b.png") == "a:b.png"
    assert clean_path("C:/b.png") is None
    assert clean_path("C:\\b.png") is None

"""Which files are pictures, whatever they are called, and which belong together; nothing vanishes without a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from danqing.core.errors import DataError
from danqing.core.pictures.listing import PassedOver, passed_over_note, pictures_in
from danqing.core.pictures.name_encoding import decode_names
from danqing.core.pictures.names import READABLE, shown, stem
from danqing.core.pictures.partners import partner, partners

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs names of any bytes")


def picture(file: Path, kind: str = "PNG") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), "red").save(file, kind)
    return file


def found(folder: Path) -> list[str]:
    return [each.name for each in pictures_in(folder).found]


def passed_over(folder: Path) -> dict[str, str]:
    return dict(pictures_in(folder).passed_over)


@pytest.mark.parametrize("suffix", READABLE)
def test_every_suffix_counts_in_either_case(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"whatever; reading will tell")
    (tmp_path / f"b{suffix.upper()}").touch()
    assert found(tmp_path) == [f"a{suffix}", f"b{suffix.upper()}"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("name", ["no suffix", "photo.v2", "photo.jpg_large", "photo.image"])
def test_a_picture_is_told_by_its_contents_where_its_name_does_not(tmp_path: Path, kind: str, name: str) -> None:
    picture(tmp_path / name, kind)
    assert found(tmp_path) == [name]


def test_all_else_is_named_with_a_reason(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    for name in (".hidden.png", "._a.png", "__MACOSX/._a.png", ".git/b.png", "Thumbs.db", "b.png~", "c.nef"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("BM is how this text begins")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    (tmp_path / "empty").touch()
    (tmp_path / "odd.bin").write_bytes(bytes(range(200)))
    assert found(tmp_path) == ["a.png"]
    told = passed_over(tmp_path)
    wanted = {
        ".hidden.png": "hidden", "._a.png": "macOS", "__MACOSX/": "macOS", ".git/": "hidden",
        "Thumbs.db": "file manager",
        "b.png~": "backup", "c.nef": "raw photograph", "notes.txt": "text", "photo.heic": "heic", "empty": "empty",
        "odd.bin": "no picture",
    }  # fmt: skip
    assert told.keys() == wanted.keys()
    assert all(word in told[name] for name, word in wanted.items())


def test_links_that_go_round_or_nowhere_cost_themselves_alone(tmp_path: Path) -> None:
    picture(tmp_path / "set" / "deep" / "a.png")
    picture(tmp_path / "elsewhere" / "b.png")
    home = tmp_path / "set"
    for link, target in (("l1.png", "l2.png"), ("l2.png", "l1.png"), ("gone.png", "nowhere.png"), ("me", "me")):
        (home / link).symlink_to(home / target)
    (home / "deep" / "up").symlink_to(home)
    (home / "more").symlink_to(tmp_path / "elsewhere")
    assert found(home) == ["deep/a.png", "gone.png", "l1.png", "l2.png", "more/b.png"]
    told = passed_over(home)
    assert told.keys() == {"deep/up/", "me"}
    assert "link back" in told["deep/up/"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert passed_over(tmp_path).keys() == {"pipe"}


def test_a_folder_that_cannot_be_searched_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be searched"):
        pictures_in(tmp_path / "nowhere")


@LINUX
def test_names_of_other_systems_on_this_disk(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/" + "照片".encode("gbk")
    os.mkdir(folder)
    picture(tmp_path / "é" / "1.png")
    with open(folder + b"/1.png", "wb") as stream:
        stream.write((tmp_path / "é" / "1.png").read_bytes())
    listing = pictures_in(tmp_path)
    assert {each.name for each in listing.found} == {"é/1.png", "照片/1.png"}
    assert all(each.file.is_file() for each in listing.found)
    assert "GB 18030" in listing.notes[0]


@LINUX
def test_names_are_composed_and_files_keep_theirs(tmp_path: Path) -> None:
    picture(tmp_path / "cafe\u0301" / "1.png")
    (each,) = pictures_in(tmp_path).found
    assert each.name == "caf\u00e9/1.png"
    assert each.file.is_file()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("猫/1.png", "gbk"), ("狗/1.png", "gbk"), ("小猫/1.png", "gbk"),
        ("新建文件夹/照片.jpg", "gbk"), ("车/10.png", "gb18030"),
        ("犬/1.png", "shift_jis"), ("ねこ/写真.png", "shift_jis"), ("東京タワー/1.png", "shift_jis"),
        ("café/1.png", "cp437"), ("Größe/1.png", "cp437"), ("Ärger/1.png", "cp437"), ("ñandú/1.png", "cp850"),
        ("Straße/München.png", "cp1252"), ("Été/1.png", "cp1252"),
        ("Кошки/1.png", "cp866"), ("Кошки/1.png", "cp1251"), ("Фото/1.png", "cp1251"),
        ("고양이/강아지.png", "euc_kr"), ("貓/狗貓的照片.png", "big5"),
        ("猫/1.png", "utf-8"), ("naïve/1.png", "utf-8"), ("Кот.png", "utf-8"), ("😀 smile.png", "utf-8"),
    ],
)  # fmt: skip
def test_an_encoding_is_guessed_from_the_words_it_makes(text: str, encoding: str) -> None:
    names, words = decode_names([text.encode(encoding), b"plain.png"])
    assert names == [text, "plain.png"]
    assert bool(words) == (encoding != "utf-8")


def test_any_bytes_make_some_name() -> None:
    names, _ = decode_names([bytes(range(1, 256)).replace(b"/", b"")])
    assert names[0]


@pytest.mark.parametrize(
    ("name", "others", "wanted"),
    [
        ("a.jpg", ["b.png", "a.png"], "a.png"),
        ("a.jpg", ["a.png", "a.jpg"], "a.jpg"),
        ("deep/a.jpg", ["a.png", "deep/a.png"], "deep/a.png"),
        ("photo.v2.jpg", ["photo.v1.png", "photo.v2.png"], "photo.v2.png"),
        ("A.JPG", ["a.png"], "a.png"),
        ("caf\u00e9.jpg", ["cafe\u0301.png"], "cafe\u0301.png"),
        ("a.jpg", ["a"], "a"),
        ("a.png", ["A.png", "a.tif"], "A.png"),
    ],
)
def test_partners_are_found_by_stem(name: str, others: list[str], wanted: str) -> None:
    assert partner(name, others) == wanted


def test_missing_and_doubtful_partners_are_named() -> None:
    with pytest.raises(DataError, match=r"no partner for 1 picture: b.jpg"):
        partners(["a.jpg", "b.jpg"], ["a.png", "c.png"], where="masks")
    with pytest.raises(DataError, match=r"several partners for a.jpg: a.png, a.tif"):
        partner("a.jpg", ["a.png", "a.tif"])
    with pytest.raises(DataError, match=r"one partner for a.jpg, a.tif: a.png"):
        partners(["a.jpg", "a.tif"], ["a.png"])


def test_words_for_people() -> None:
    many = [PassedOver(f"{at}.txt", "is text") for at in range(5)]
    assert passed_over_note(many, "set") == (
        "set: Passed over 5 files: 0.txt (is text), 1.txt (is text), 2.txt (is text) and 2 more"
    )
    assert passed_over_note([]) == ""
    assert len(shown("x" * 5000)) < 200
    assert stem("a.tar.JPG") == "a.tar"
    assert stem("no.suffix") == "no.suffix"


def test_listing_needs_no_torch() -> None:
    code = "import sys, danqing.core.pictures.listing; assert not {'torch', 'PIL', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

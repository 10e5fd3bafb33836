"""Labels come in many spellings and mean one thing; what they leave open or contradict is said by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from danqing.core.errors import DataError
from danqing.data.labels import folder_labels, lacking, table_labels
from danqing.data.sources import open_source

Paint = Callable[..., Path]
NAMES = ["a.png", "deep/b.png"]
PLAIN = {"a.png": "cat", "deep/b.png": "dog"}


def labelled(raw: str | bytes, names: list[str] = NAMES) -> dict[str, str]:
    found = table_labels(names, raw.encode() if isinstance(raw, str) else raw, "labels.csv")
    assert found.each is not None
    return dict(zip(names, found.each, strict=True))


def remarks(raw: str | bytes, names: list[str] = NAMES) -> list[str]:
    return table_labels(names, raw.encode() if isinstance(raw, str) else raw, "labels.csv").remarks


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,cat\ndeep/b.png,dog\n",
        "\ufefffile,label\r\na.png,cat\r\ndeep/b.png,dog\r\n",
        "file;label\na.png;cat\ndeep/b.png;dog",
        "sep=;\r\nfile;label\r\na.png;cat\r\ndeep/b.png;dog\r\n",
        "file\tlabel\na.png\tcat\ndeep/b.png\tdog\n",
        "label|file\ncat|a.png\ndog|deep/b.png\n",
        "id,Class,Path,more\n1,cat,a.png,x\n2,dog,deep/b.png,\n",
        'file,label\n"a.png","cat"\n"deep/b.png", "dog"\n\n,\n',
        "a.png,cat\ndeep/b.png,dog\n",
        "cat;a.png\ndog;deep/b.png\n",
        "img,species\na.png,cat\ndeep/b.png,dog\n",
        "file,label\n./a.png,cat\ndeep\\b.png,dog\n",
        "file,label\nA.PNG,cat\nDeep/B.png,dog\n",
        "file,label\na,cat\nb,dog\n",
        "file,label\n/data/set/a.png,cat\nC:\\set\\deep\\b.png,dog\n",
        "file,label\na.png,cat\na.png,cat\ndeep/b.png,dog\n",
        json.dumps(PLAIN),
        json.dumps({"labels": list(PLAIN.items())}),
        json.dumps([{"file_name": name, "label": label} for name, label in PLAIN.items()]),
    ],
)
def test_every_spelling_means_the_same(text: str) -> None:
    assert labelled(text) == PLAIN
    assert remarks(text) == []


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings_of_label_files(codec: str) -> None:
    raw = "file,label\na.png,猫和老鼠\ndeep/b.png,小狗".encode(codec)
    assert labelled(raw) == {"a.png": "猫和老鼠", "deep/b.png": "小狗"}
    assert any("encoded" in words for words in remarks(raw)) == (codec == "gb18030")


def test_quoted_commas_and_lines() -> None:
    assert labelled('file,label\na.png,"cat, big"\ndeep/b.png,"a ""dog"""\n') == {
        "a.png": "cat, big",
        "deep/b.png": 'a "dog"',
    }


def test_forms_of_names_and_labels_are_one() -> None:
    found = labelled("file,label\ncafe\u0301.png,na\u0131ve\u0301\ncaf\u00e9.png,na\u0131v\u00e9\n", ["caf\u00e9.png"])
    assert found == {"caf\u00e9.png": "na\u0131v\u00e9"}


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,\ndeep/b.png,dog\n",
        "file,label\na.png,  \ndeep/b.png,dog\n",
        "file,label\ndeep/b.png,dog\n",
        json.dumps({"a.png": "", "deep/b.png": "dog"}),
        json.dumps({"a.png": None, "deep/b.png": "dog"}),
    ],
)
def test_a_picture_without_a_label_is_named(text: str) -> None:
    with pytest.raises(DataError, match=r"no label for 1 of 2 pictures: a\.png"):
        labelled(text)


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.png,cat\na.png,cow\ndeep/b.png,dog\n",
        "file,label\na.png,cat\n./a.png,cow\ndeep/b.png,dog\n",
        '{"a.png": "cat", "a.png": "cow", "deep/b.png": "dog"}',
        json.dumps({"labels": [["a.png", "cat"], ["a.png", "cow"], ["deep/b.png", "dog"]]}),
    ],
)
def test_two_labels_contradict(text: str) -> None:
    with pytest.raises(DataError, match=r"gives a\.png two labels, 'cat' and 'cow'"):
        labelled(text)


def test_labels_of_absent_pictures_are_named_and_taken_for_no_others() -> None:
    text = "file,label\ncats/1.png,cat\ndogs/1.png,dog\ngone.png,dog\n"
    assert labelled(text, ["cats/1.png"]) == {"cats/1.png": "cat"}
    assert remarks(text, ["cats/1.png"]) == ["No picture for 2 labels: dogs/1.png, gone.png"]


def test_the_closest_name_counts() -> None:
    names = ["A.png", "a.png", "in/a.png"]
    assert labelled("file,label\na.png,x\nA.png,y\nin/a.png,z\n", names) == {
        "a.png": "x",
        "A.png": "y",
        "in/a.png": "z",
    }


def test_a_label_that_could_mean_two_pictures_means_none() -> None:
    with pytest.raises(DataError, match="no label for 2 of 2"):
        labelled("file,label\nb.png,x\n", ["one/b.png", "two/b.png"])


@pytest.mark.parametrize(
    "value", ['{"a.png": 1.5}', '{"a.png": true}', '{"a.png": {"b": 1}}', '["a.png"]', '{"labels": 3}']
)
def test_what_is_no_label(value: str) -> None:
    with pytest.raises(DataError):
        labelled(value, ["a.png"])


def in_csv(label: str) -> str:
    return f'file,label\na.png,"{label}"\ndeep/b.png,cat\n'


def in_json(label: str) -> str:
    return json.dumps({"a.png": label, "deep/b.png": "cat"})


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\x85", "\r", "\n", "\t"])
def test_a_control_character_in_a_label_is_refused_with_its_line(sign: str) -> None:
    label = f"x{sign}y"
    with pytest.raises(DataError) as caught:
        labelled(in_csv(label))
    line = 3 if sign in "\r\n" else 2  # that which it ends on
    assert caught.value.what == f"its line {line} has a control character in the label: {label!r}"
    assert caught.value.where == "labels.csv"
    with pytest.raises(DataError) as caught:
        labelled(in_json(label))
    assert caught.value.what == f"has a control character in the label of a.png: {label!r}"


@pytest.mark.parametrize("label", ["x\0", "\0"])
def test_nothing_that_is_no_character_makes_a_class(label: str) -> None:
    with pytest.raises(DataError, match="control character in the label"):
        labelled(in_json(label))


@pytest.mark.parametrize(
    "label",
    [
        " cat", "cat\u3000", "\xa0cat\xa0", "\u200bcat", "c\u200bat", "cat\ufeff", "\ufeffcat", "c\ufeffat",
        "c\xadat", "\u2068cat\u2069", "ca\u2060t", "cat \u200e ", "ca\u2028t",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", [in_csv, in_json])
def test_labels_that_look_alike_are_one(label: str, form: Callable[[str], str]) -> None:
    assert labelled(form(label)) == {"a.png": "cat", "deep/b.png": "cat"}
    said = ["labels.csv: Invisible marks and unusual spaces in labels do not count: cat"]
    assert remarks(form(label)) == (said if label.strip() != "cat" else [])


def test_spaces_within_are_plain_ones_and_what_spells_a_word_stays() -> None:
    said = {"a.png": "big\xa0cat", "deep/b.png": "big\u202fcat"}
    assert set(labelled(json.dumps(said)).values()) == {"big cat"}
    spelt = {"a.png": "\U0001f469\u200d\U0001f680", "deep/b.png": "می\u200cخواهم"}
    assert labelled(json.dumps(spelt)) == spelt
    assert remarks(json.dumps(spelt)) == []


def test_files_put_one_behind_the_other_are_read() -> None:
    assert labelled("\ufefffile,label\na.png,cat\n\ufeffdeep/b.png,dog\n") == PLAIN


def test_a_tab_separated_file_is_found_beside_pictures(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png")
    paint("set/b.png")
    (tmp_path / "set" / "labels.tsv").write_text("a.png\tcat\nb.png\tdog\n")
    source = open_source(tmp_path / "set")
    assert source.classes == ["cat", "dog"]
    assert source.passed_over == []


def test_pictures_beside_class_folders_are_named() -> None:
    found = folder_labels(["cat/1.png", "dog/1.png", "dog/2.png", "loose.png"])
    assert found.each is None
    assert found.remarks == ["Folders are not taken as classes, since 1 picture lies in none: loose.png"]
    assert folder_labels(["1.png", "2.png", "more/3.png"]).remarks == []


def test_classes_that_one_side_lacks_are_named() -> None:
    sides = ["train", "train", "test", "test"]
    assert lacking(sides, ["a", "b", "a", "c"]) == [
        "Class has nothing to learn from: c", "Class has nothing held out to score on: b",
    ]  # fmt: skip
    assert lacking(sides, ["a", "b", "a", "b"]) == []
    assert lacking(["train", "train"], ["a", "b"]) == []
    assert lacking(sides, None) == []


def test_the_fingerprint_knows_the_labels(tmp_path: Path, paint: Paint) -> None:
    paint("set/a.png")
    paint("set/b.png")
    prints: set[Any] = {open_source(tmp_path / "set").fingerprint}
    for text in ("a.png,x\nb.png,y\n", "a.png,y\nb.png,x\n"):
        (tmp_path / "set" / "labels.csv").write_text(text)
        prints.add(open_source(tmp_path / "set").fingerprint)
    assert len(prints) == 3

"""What people are told, in English and 中文: ids, templates, and languages by what a browser asks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from serving import Running

from danqing.core import errors
from danqing.core.errors import DanqingError
from danqing.core.learned.families import family_named
from danqing.core.phrases.book import BOOK, book, id_of
from danqing.data.advice import advice
from danqing.data.report import Report, Unusable
from danqing.faces.service import catalogue
from danqing.faces.service.phrases import LANGUAGE, UNKNOWN, help_book, language_of, message_id, said
from danqing.faces.service.problems import KINDS, STATUS, TITLES, Problem, as_json, problem_of
from danqing.faces.service.web import in_language
from danqing.training.alarm import known_alarms
from danqing.training.forecast import about

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from phrases import missing

CJK = re.compile(r"[\u4e00-\u9fff]")


def test_every_class_of_errors_has_a_title_in_both_languages() -> None:
    every = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DanqingError)}
    assert {kind for kind, _ in KINDS} == every - {DanqingError}
    assert STATUS.keys() == TITLES.keys()
    for title in TITLES.values():
        assert CJK.search(said(title, "zh"))
        assert said(title, "en") == title


def test_the_service_says_nothing_that_the_book_lacks() -> None:
    """A new message wants a line in the book; ``python tools/phrases.py`` lists what is missing."""
    lacking = {text: file for text, file in missing().items() if file.startswith("faces/service/")}
    assert lacking == {}


def test_nearly_nothing_that_people_are_told_lacks_its_chinese() -> None:
    """Errors, remedies, notes, progress and the doctor's alarms, of all of danqing; a few new ones may be late."""
    lacking, known = missing(), json.loads(BOOK.read_text("utf-8"))
    assert len(lacking) <= len(known) // 50, lacking


def test_the_doctor_speaks_the_language_of_the_client() -> None:
    alarms = known_alarms()
    rows = [{"event": name, "words": each.words, "remedy": each.remedy, "seen": 5} for name, each in alarms.items()]
    token = LANGUAGE.set("zh")
    try:
        told = in_language({"rows": rows})["rows"]
    finally:
        LANGUAGE.reset(token)
    assert len(told) == len(alarms) > 10
    for row, english in zip(told, rows, strict=True):
        assert (row["event"], row["seen"]) == (english["event"], 5)
        assert CJK.search(row["words"]), row
        assert CJK.search(row["remedy"]), row


def test_translations_hold_what_was_filled_in() -> None:
    known = json.loads(BOOK.read_text("utf-8"))
    for english, chinese in known.items():
        slots = english.count("{}")
        assert all(1 <= int(number) <= slots for number in re.findall(r"\{(\d+)\}", chinese)), english
    assert len({id_of(english) for english in known}) == len(known)
    assert len(book()) == len(known)


@pytest.mark.parametrize(
    ("asked", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB,en;q=0.5,zh;q=0.3", "en"), ("de,fr", "en"), ("", "en"),
     ("zh;q=0.1, en;q=0.9", "en"), ("zh;q=x", "en"), (",;q=,;", "en")],
)  # fmt: skip
def test_the_language_is_the_one_a_browser_prefers(asked: str, language: str) -> None:
    assert language_of(asked) == language


def test_errors_are_the_same_thing_in_both_languages(server: Running, photo: Path) -> None:
    asked = {"values": {"x": server.send(photo), "radius": 99}}
    english = server.client.post("/v1/run/median", json=asked).json()
    chinese = server.client.post("/v1/run/median", json=asked, headers={"Accept-Language": "zh-CN"}).json()
    by_query = server.client.post("/v1/run/median?lang=zh", json=asked).json()
    assert english["detail"] == "99 is not a whole number in 1…15 px"
    assert chinese["detail"] == by_query["detail"] == "99 不是 1…15 px 之间的整数"
    assert english["message_id"] == chinese["message_id"] != UNKNOWN
    assert (english["type"], english["parameter"]) == (chinese["type"], chinese["parameter"])
    assert CJK.search(chinese["title"])


def test_nearly_every_setting_says_what_it_does_in_both_languages() -> None:
    """Of what is new a few may be late, and are listed here then."""
    known = help_book()
    said_by = {each["words"]: name for name in catalogue.offered() for each in catalogue.told(name)["fields"]}
    lacking = {words: name for words, name in said_by.items() if words not in known}
    assert len(said_by) > 500
    assert len(lacking) <= len(said_by) // 50, lacking
    assert [words for words, chinese in known.items() if not CJK.search(chinese)] == []
    assert sorted(known.keys() - said_by.keys()) == []  # nothing of settings that are gone


def test_a_task_is_told_in_the_language_of_the_client(server: Running) -> None:
    english = server.client.get("/v1/tasks/median").json()
    chinese = server.client.get("/v1/tasks/median", headers={"Accept-Language": "zh-CN"}).json()
    whole = server.client.get("/v1/tasks?brief=1&lang=zh").json()["tasks"]
    assert [each["name"] for each in english["fields"]] == [each["name"] for each in chinese["fields"]]
    for mine, other in zip(english["fields"], chinese["fields"], strict=True):
        assert not CJK.search(mine["words"])
        assert other["words"] == help_book()[mine["words"]]
    assert (
        next(each for each in whole if each["name"] == "median")["fields"][0]["words"] == chinese["fields"][0]["words"]
    )
    again = server.client.get("/v1/tasks/median").json()
    assert again == english


def test_what_is_not_in_the_book_stays_english() -> None:
    assert said("nothing of the kind", "zh") == "nothing of the kind"
    assert message_id("nothing of the kind") == UNKNOWN
    assert said("x" * 100_000, "zh") == "x" * 100_000


def test_an_unforeseen_error_tells_a_client_nothing() -> None:
    for error in (RuntimeError("/secret/place"), DanqingError("/secret/place"), KeyError("x")):
        told = json.dumps(problem_of(error).told())
        assert "secret" not in told
        assert "KeyError" not in told
    assert problem_of(OSError(28, "No space left")).status == 507
    assert problem_of(MemoryError()).status == 503


def test_json_holds_what_javascript_can_read() -> None:
    sent = json.loads(
        as_json({"seed": 2**53 + 1, "small": 2**53, "not": float("nan"), "far": float("inf"), "yes": True})
    )
    assert sent == {"seed": str(2**53 + 1), "small": 2**53, "not": None, "far": None, "yes": True}
    assert Problem("parameter", "x").told()["status"] == 422


def test_advice_before_a_training_is_in_chinese() -> None:
    """What a look through a set, and the plan of a run, say of it."""
    lines = []
    for count in (0, 1, 9, 400):
        sizes, modes = {"20 x 60": count, "90 x 90": 1}, {"grey": 1, "colour with alpha": 1}
        classes = {"a": count, "b": 1}
        copies = [["a.png", "b.png"]] * 3
        found = Report(
            "set", count, [Unusable("c.png", "is empty")], sizes, modes, classes, copies, copies * 30, [], [], []
        )
        lines += [line for kind in (family_named("dcgan"), family_named("vae")) for line in advice(found, kind)]
    lines += [line for count in (9.0, 400.0, 9e3) for line in about("dcgan", count, 32, 3, 1e5, "1h")]
    assert len(lines) > 8
    for line in lines:
        assert CJK.search(said(line, "zh")), line
        assert not re.search(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", said(line, "zh")), line

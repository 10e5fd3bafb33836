"""The page of a report: everything in it is escaped, nothing is fetched, and it comes with the package."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from danqing.core.phrases.book import in_chinese
from danqing.maths.scores import MEANINGS
from danqing.tasks.demo import SHOWN
from danqing.training.report import Section, Shown, write_report
from danqing.training.verdicts import verdict_on_copies

CJK = re.compile("[\u4e00-\u9fff]")
STUDIO = Path(__file__).parents[2] / "studio" / "src" / "lib" / "zh.json"
ODD = "<script>alert(\"1\")</script> & 'so' {{ 7 * 7 }} 丹青"


class Read(HTMLParser):
    """Tags, their attributes, and the words between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(tmp_path: Path) -> str:
    Image.new("RGB", (2, 2), (200, 30, 30)).save(tmp_path / "a.png")
    section = Section(ODD, ODD, ODD, ODD, [Shown(tmp_path / "a.png", ODD, pixels=True)], [(ODD, ODD, ODD)], [ODD, ODD])
    return write_report(tmp_path / "report.html", ODD, [section, section]).read_text("utf-8")


def test_words_are_words_wherever_they_stand(tmp_path: Path) -> None:
    read = Read(page(tmp_path))
    assert "script" not in read.tags
    shown = "".join(read.words)
    assert shown.count(ODD) == 2 + 2 * (2 + 2 + 1 + 3 + 2)  # titles and headings, words, caption, row, commands
    assert [value for name, value in read.attributes if name == "alt"] == [ODD, ODD]


def test_nothing_is_fetched(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert text.count('src="data:image/png;base64,') == 2
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text)
    words = re.sub(r"data:[^\"]+", "", text)  # pictures are letters that may spell anything
    assert "http" not in words
    assert "url(" not in words
    assert text.endswith("</html>\n")


def test_the_template_is_part_of_the_package() -> None:
    assert (files("danqing.training") / "report.html.j2").is_file()
    told = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert "training/*.j2" in told["tool"]["setuptools"]["package-data"]["danqing"]


def test_what_the_phrase_book_knows_stands_in_both_languages_and_either_can_be_hidden(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    rows = [("kernel distance", "step 1,200", "Went back to step 900 (lr 0.1). digits 7"), ("own words", "3", "")]
    shown = [Shown(tmp_path / "a.png", "the same latents at every look")]
    section = Section("Title", "题目", "Words.", "话。", shown, rows)
    text = write_report(tmp_path / "report.html", "run", [section]).read_text("utf-8")
    for english, chinese in (
        ("kernel distance", "核距离"),
        ("step 1,200", "第 1,200 步"),
        ("Went back to step 900 (lr 0.1). digits 7", "已退回第 900 步（lr 0.1）。digits 7"),
        ("the same latents at every look", "每次查看时的同一组潜在向量"),
    ):
        assert f'<span class="en">{english}</span> <span class="zh" lang="zh">{chinese}</span>' in text
    assert '<th scope="row">own words</th><td class="number">3</td><td></td>' in text, (
        "what has one form is never hidden"
    )
    assert {"both", "en", "zh"} == {value for name, value in Read(text).attributes if name == "id"}
    assert "body:has(#en:checked) .zh, body:has(#zh:checked) .en { display: none }" in text


def figure(low: float, real: float | None) -> list[dict[str, object]]:
    return [{"score": "copied_share", "value": 0.7, "low": low, "real": real}]


@pytest.mark.parametrize(
    "words",
    [*MEANINGS, "coverage_of_7", "class_accuracy_of_a b", *(means for _, means in MEANINGS.values()),
     *dict(SHOWN).values(),
     *(verdict_on_copies(figure(low, real)) for low in (0.0, 0.3, 0.9) for real in (0.2, None)), verdict_on_copies([])],
)  # fmt: skip
def test_every_score_is_told_in_chinese(words: str) -> None:
    told = in_chinese(words.replace("_", " "))
    assert CJK.search(told) or words in ("fid", "kid")
    assert not re.search(r"[a-z]{4,} [a-z]{2,}", told), "nothing that was filled in stays English"


def test_the_page_of_the_studio_calls_scores_the_same() -> None:
    book = json.loads(STUDIO.read_text("utf-8"))
    names = [name.replace("_", " ") for name in MEANINGS]
    assert {name: book[name] for name in names if name in book} == {n: in_chinese(n) for n in names if n in book}

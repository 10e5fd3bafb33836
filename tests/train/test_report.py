"""The page of a report: everything in it is escaped, nothing is fetched, and it comes with the package."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import danqing
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


TINY: dict[str, Any] = {"size": 16, "width": 16, "budget": "8pictures", "every": "50%", "batch": 4, "precision": "fp32"}


def reported(family: str, folders: tuple[str, str], tmp_path: Path, **values: Any) -> tuple[str, Path]:
    """The page of a tiny run on two folders, of noise and of its negatives, and the run's folder."""
    rng = torch.Generator().manual_seed(0)
    for split, count in (("train", 4), ("test", 2)):
        for at in range(count):
            x = torch.randint(0, 256, (1, 3, 16, 16), generator=rng) / 255
            for name, picture in zip(folders, (x, 1 - x), strict=True):
                danqing.write(picture, tmp_path / "set" / split / name / f"{at}.png")
    run = danqing.train(family, tmp_path / "set", **{**TINY, **values}, out=tmp_path / "run")
    return (run.folder / "report.html").read_text("utf-8"), run.folder


def test_a_translator_is_shown_beside_what_it_painted_from_and_what_that_was_to_become(tmp_path: Path) -> None:
    page, run = reported("pix2pix", ("input", "target"), tmp_path, critic_width=4)
    given, wanted = (danqing.read(run / name).pixels[..., :16, :16] for name in ("given.png", "wanted.png"))
    assert torch.allclose(given + wanted, torch.ones(()), atol=1e-6), "each beside its pair"
    assert given.std() > 0.1
    assert "what each was to become" in page
    assert "the same pictures at every look" in page, "it knows no latents"
    assert f"danqing translate PICTURES --weights {run}" in page
    assert f"danqing train --resume {run} --budget 16pictures" in page


def test_a_codec_is_shown_beside_the_pictures_and_columns_are_named(tmp_path: Path) -> None:
    page, run = reported("codec", ("a<b", "c"), tmp_path, perceptual=0.0)
    assert (run / "given.png").exists()
    assert not (run / "wanted.png").exists()
    assert f"--codec {run}" in page
    page, run = reported("mlpgan", ("a<b", "c"), tmp_path / "painter")
    assert "One class a column: a&lt;b, c." in page
    assert "the same latents at every look" in page

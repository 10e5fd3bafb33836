"""The page of a report: everything in it is escaped, nothing is fetched, and it comes with the package."""

from __future__ import annotations

import re
import tomllib
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

from PIL import Image

from danqing.training.report import Section, Shown, write_report

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

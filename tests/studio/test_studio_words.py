"""Whatever the page says of its own is said in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

from danqing.faces.service import catalogue

SOURCE = Path(__file__).resolve().parents[2] / "studio" / "src"
SAID = re.compile(r"""\bt\(\s*'((?:[^'\\]|\\.)*)'""")
TABLES = re.compile(r"""\b(?:title|words): '((?:[^'\\]|\\.)*)'""")


def test_every_phrase_of_the_page_has_its_chinese() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    sources = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*") if file.suffix in (".svelte", ".ts"))
    phrases = {*SAID.findall(sources), *TABLES.findall(sources)} - {""}
    assert len(phrases) > 150
    assert sorted(phrase for phrase in phrases if phrase not in book) == []


def test_nearly_every_tool_and_its_settings_have_their_chinese() -> None:
    """Titles, menu texts, names of fields; of what is new a few may be late, and are listed here then."""
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    said: dict[str, str] = {}
    for name in catalogue.offered():
        told = catalogue.told(name)
        fields = [each["name"].rstrip("_").replace("_", " ") for each in told["fields"]]
        said |= dict.fromkeys([told["title"], told["summary"], told["group"], *fields], name)
    lacking = {text: name for text, name in said.items() if text not in book}
    assert len(said) > 400
    assert len(lacking) <= len(said) // 50, lacking


def test_what_is_filled_in_is_filled_in_in_both() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    holes = re.compile(r"\{\d\}")
    assert [
        each for each, chinese in book.items() if sorted(holes.findall(each)) != sorted(holes.findall(chinese))
    ] == []

"""Whatever the page says of its own is said in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "studio" / "src"
SAID = re.compile(r"""\bt\(\s*'((?:[^'\\]|\\.)*)'""")
TABLES = re.compile(r"""\b(?:title|words): '((?:[^'\\]|\\.)*)'""")


def test_every_phrase_of_the_page_has_its_chinese() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    sources = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*") if file.suffix in (".svelte", ".ts"))
    phrases = {*SAID.findall(sources), *TABLES.findall(sources)} - {""}
    assert len(phrases) > 150
    assert sorted(phrase for phrase in phrases if phrase not in book) == []


def test_what_is_filled_in_is_filled_in_in_both() -> None:
    book = json.loads((SOURCE / "lib" / "zh.json").read_text("utf-8"))
    holes = re.compile(r"\{\d\}")
    assert [
        each for each, chinese in book.items() if sorted(holes.findall(each)) != sorted(holes.findall(chinese))
    ] == []

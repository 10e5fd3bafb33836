"""The phrase book: English templates of what people are told, each with an id and its 中文.

Messages are written in English where they arise, as f-strings. A message is looked up here by its shape: a template
such as ``{} is not {}`` has an id, and a translation in which ``{1}`` and ``{2}`` stand for what was filled in, which
is translated likewise. What is not in the book stays English and has the id of no phrase.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

BOOK = Path(__file__).with_name("phrases.zh.json")
DEEPEST = 4  # fillings within fillings
LONGEST = 2000  # characters of a message


class Phrase(NamedTuple):
    """One template of the book."""

    id: str
    shape: re.Pattern[str]
    chinese: str


@functools.cache
def book() -> tuple[Phrase, ...]:
    """All phrases, those with most words of their own first."""
    known: dict[str, str] = json.loads(BOOK.read_text("utf-8"))
    by_words = sorted(known.items(), key=lambda item: (-len(item[0].replace("{}", "")), item[0]))
    return tuple(Phrase(id_of(english), shape_of(english), chinese) for english, chinese in by_words)


def id_of(template: str) -> str:
    """The id of a template: its words, and enough of its hash to tell it from others."""
    words = "-".join(re.findall(r"[a-z]+", template.replace("{}", " v ").lower()))
    return f"{words[:40].strip('-')}-{hashlib.sha256(template.encode()).hexdigest()[:4]}"


def shape_of(template: str) -> re.Pattern[str]:
    """What fits a template."""
    return re.compile("(.*?)".join(map(re.escape, template.split("{}"))), re.DOTALL)


@functools.lru_cache(maxsize=2048)
def found(text: str) -> tuple[Phrase, tuple[str, ...]] | None:
    """The phrase that a message is, and what was filled in."""
    for phrase in book():
        if match := phrase.shape.fullmatch(text):
            return phrase, match.groups()
    return None


def in_chinese(text: str, depth: int = DEEPEST) -> str:
    """A message in 中文, as far as the book knows it."""
    if not text or not depth or len(text) > LONGEST:
        return text
    known = found(text)
    if known is None:
        return text
    phrase, filled = known
    inner = [in_chinese(each, depth - 1) for each in filled]
    return re.sub(r"\{(\d+)\}", lambda match: inner[int(match[1]) - 1], phrase.chinese)


__all__ = ["BOOK", "LONGEST", "Phrase", "book", "found", "id_of", "in_chinese", "shape_of"]

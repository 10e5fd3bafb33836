"""What people are told, in their language: a phrase book of English templates, each with an id and its 中文.

Messages are written in English where they arise, as f-strings. A message is looked up here by its shape: a template
such as ``{} is not {}`` has an id, and a translation in which ``{1}`` and ``{2}`` stand for what was filled in, which
is translated likewise. What is not in the book stays English and has the id of no phrase.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

BOOK = Path(__file__).with_name("phrases.zh.json")
HELP = Path(__file__).with_name("help.zh.json")  # of settings: whole texts, nothing filled in
LANGUAGES = ("en", "zh")
UNKNOWN = "other"
DEEPEST = 4  # fillings within fillings

LANGUAGE: ContextVar[str] = ContextVar("danqing_language", default="en")


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


def message_id(text: str) -> str:
    """The id of a message, the same in every language."""
    known = found(text[:2000])
    return UNKNOWN if known is None else known[0].id


def said(text: str, language: str | None = None, depth: int = DEEPEST) -> str:
    """A message in a language; by default in that of the request at hand."""
    if (language or LANGUAGE.get()) != "zh" or not text or not depth or len(text) > 2000:
        return text
    known = found(text)
    if known is None:
        return text
    phrase, filled = known
    inner = [said(each, "zh", depth - 1) for each in filled]
    return re.sub(r"\{(\d+)\}", lambda match: inner[int(match[1]) - 1], phrase.chinese)


@functools.cache
def help_book() -> dict[str, str]:
    """What settings do, from English to 中文."""
    return dict(json.loads(HELP.read_text("utf-8")))


def language_of(asked: str) -> str:
    """The language that an ``Accept-Language`` header prefers, among those there are."""
    ranked: list[tuple[float, str]] = []
    for part in asked.split(",")[:32]:
        name, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), name.strip().lower()[:2]))
        except ValueError:
            continue
    return next((name for _, name in sorted(ranked, key=lambda each: each[0]) if name in LANGUAGES), "en")


__all__ = [
    "BOOK",
    "HELP",
    "LANGUAGE",
    "LANGUAGES",
    "UNKNOWN",
    "book",
    "help_book",
    "id_of",
    "language_of",
    "message_id",
    "said",
    "shape_of",
]
